# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: flags of PREPARE and COMMIT
# test: resize_abi -t flags
/^bool hvx_resize_valid\(/,/^}/s/if \(flags\)/if (false)/
