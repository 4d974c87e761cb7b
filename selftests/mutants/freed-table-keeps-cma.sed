# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/hpt.c
# takes out: the mark that a VM has no table from CMA any more
# test: resize_nomem -t reserve_used_up
# host: power9:6.12-debug
# spoils: memory
/^void hvx_hpt_absent\(/,/^}/s/kvm->arch.hpt.cma = 0;/;/
