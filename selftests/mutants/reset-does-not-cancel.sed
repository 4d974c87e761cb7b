# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: KVM_PPC_ALLOCATE_HTAB ends no resize
# test: resize_reset -t anywhere
/^static HVX_IOCTL_RET hvx_arch_vm_ioctl\(/,/^}/{
/hvx_resize_suspend\(vm, ioctl == /,/;/c\
		if (ioctl != KVM_PPC_ALLOCATE_HTAB)\
			hvx_resize_suspend(vm, HVX_CANCEL_HTAB_FD);
}
