# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/backing.c
# takes out: alignment of guest and host addresses
# test: hpt_backing -t alignment
/^int hvx_backing_check\(/,/^}/s/if \(\(\(mem->gpa \^ mem->hva\) \| mem->gpa \| mem->size\) &/if (0 \&/
