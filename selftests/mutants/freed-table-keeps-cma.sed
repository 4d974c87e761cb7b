# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/hpt.c
# takes out: the mark that a VM has no table from CMA any more
# argued: what stock KVM gives back then is page 0, which is in no reserve, and the kernel looks; the shift by a negative number is for UBSAN to see
/^void hvx_hpt_absent\(/,/^}/s/kvm->arch.hpt.cma = 0;/;/
