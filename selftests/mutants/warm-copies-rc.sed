# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/hptes.h
# takes out: a valid entry comes over with its R and C
# argued: the dirty log tells of some pages once more than it has to, as stock KVM's does of those that were unmapped and came back
s/READ_ONCE\(from\[1\]\) & cpu_to_be64\(~HPT_R_RC\)/READ_ONCE(from[1])/
