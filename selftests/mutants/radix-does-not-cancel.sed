# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: a VM that becomes radix keeps its resize
# test: resize_seams -t radix_and_back
/^static int hvx_configure_mmu\(/,/^}/{
/if \(vm && \(cfg->flags & KVM_PPC_MMUV3_RADIX\)\)/d
/hvx_resize_suspend\(vm, HVX_CANCEL_RADIX\);/d
}
