# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: change bits of the old table do not come to the dirty log
# test: resize_dirty -t commit
/^static int hvx_harvest_try_one\(/,/^}/s/hvx_harvest_dirty\(kvm, v, gr\);/;/
