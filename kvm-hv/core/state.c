// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_PPC_HV_EXT_STATE: what a VM has of what this module offers, for a VMM that did
 * not choose all of it: module parameters are defaults, and a guest whose resizes are
 * served in the kernel has an HPT whose order the VMM does not know.
 */
#include <linux/kvm_host.h>
#include <linux/uaccess.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

/**
 * hvx_state_ioctl() - KVM_PPC_HV_EXT_STATE
 * @vm: the VM
 * @argp: struct kvm_ppc_hv_ext_state, to be filled in
 *
 * Each member is of some moment during the call; the VM may run.
 *
 * Context: may sleep.
 * Return: 0 or -EFAULT.
 */
int hvx_state_ioctl(struct hvx_vm *vm, void __user *argp)
{
	struct kvm *kvm = vm->kvm;
	struct kvm_ppc_hv_ext_state state = {
		.hpt_order = kvm_is_radix(kvm) ? 0 : READ_ONCE(kvm->arch.hpt.order),
		.resize_strategy = READ_ONCE(vm->resizer->strategy)->id,
		.guest_stop = hvx_stop_get(vm),
		.max_page_shift = hvx_limit_shift(&vm->memory->limit),
		.max_page_flags = hvx_limit_flags(vm),
	};

	return copy_to_user(argp, &state, sizeof(state)) ? -EFAULT : 0;
}
