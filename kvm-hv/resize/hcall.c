// SPDX-License-Identifier: GPL-2.0
/*
 * H_RESIZE_HPT_PREPARE and H_RESIZE_HPT_COMMIT for a VMM that leaves them to the
 * kernel (KVM_CAP_PPC_ENABLE_HCALL). Otherwise they go to the VMM, as ever.
 */
#include <linux/kvm_host.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>

#include <asm/hvcall.h>

#include "memory/memory.h"
#include "base/base.h"
#include "resize/resize.h"

static unsigned int hpt_order_slack = 1;
module_param(hpt_order_slack, uint, 0644);
MODULE_PARM_DESC(hpt_order_slack,
		 "How far above what its RAM calls for a guest may take its HPT by hcall, in orders");

/* PAPR wants 1/128 of the memory for the HPT, rounded up to a power of two. */
#define HVX_RAM_PER_HPT_SHIFT	7

static unsigned int hvx_order_for_ram(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	u64 pages = 0;
	int bkt, idx;

	idx = srcu_read_lock(&kvm->srcu);
	kvm_for_each_memslot(slot, bkt, kvm_memslots(kvm))
		if (!hvx_backing_is_device(kvm, slot))
			pages += slot->npages;
	srcu_read_unlock(&kvm->srcu, idx);

	if (!pages)
		return HPT_ORDER_MIN;
	return clamp_t(int, order_base_2(pages) + PAGE_SHIFT -
			    HVX_RAM_PER_HPT_SHIFT,
		       HPT_ORDER_MIN, HPT_ORDER_MAX);
}

/* The largest order that a guest gets here, and KVM can serve. */
static unsigned int hvx_order_limit(struct kvm *kvm)
{
	unsigned int slack = min_t(unsigned int, READ_ONCE(hpt_order_slack),
				   HVX_ORDER_MAX);

	return min_t(unsigned int, hvx_order_for_ram(kvm) + slack, HVX_ORDER_MAX);
}

/* The longest hint that does not make the guest sleep past the estimate. */
static long hvx_long_busy(int ms)
{
	if (ms >= 100000)
		return H_LONG_BUSY_ORDER_100_SEC;
	if (ms >= 10000)
		return H_LONG_BUSY_ORDER_10_SEC;
	if (ms >= 1000)
		return H_LONG_BUSY_ORDER_1_SEC;
	if (ms >= 100)
		return H_LONG_BUSY_ORDER_100_MSEC;
	if (ms >= 10)
		return H_LONG_BUSY_ORDER_10_MSEC;
	return H_LONG_BUSY_ORDER_1_MSEC;
}

static long hvx_errno_to_hcall(int ret)
{
	switch (ret) {
	case 0:
		return H_SUCCESS;
	case -EINVAL:
		return H_PARAMETER;
	case -ENOMEM:
		return H_NO_MEM;
	case -ENXIO:
		return H_CLOSED;
	case -EBUSY:
	case -EINTR:
		return H_BUSY;
	case -ENOSPC:
		return H_PTEG_FULL;
	}
	return ret > 0 ? hvx_long_busy(ret) : H_HARDWARE;
}

/**
 * hvx_resize_hcall_known() - whether an hcall is one of those served here
 * @hcall: its number
 *
 * Return: true if it is.
 */
bool hvx_resize_hcall_known(unsigned long hcall)
{
	return hcall == H_RESIZE_HPT_PREPARE || hcall == H_RESIZE_HPT_COMMIT;
}

/**
 * hvx_resize_hcall() - serve a resize hcall, if it is one
 * @vm: the VM
 * @vcpu: the vCPU, that came out with an hcall; outside the gate
 *
 * Context: may sleep.
 * Return: true if the vCPU may run on; false if the hcall is for user space.
 */
bool hvx_resize_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	unsigned long hcall = kvmppc_get_gpr(vcpu, 3);
	u64 flags = kvmppc_get_gpr(vcpu, 4);
	u64 order = kvmppc_get_gpr(vcpu, 5);
	struct kvm *kvm = vm->kvm;
	long ret;

	if (!hvx_resize_hcall_known(hcall) ||
	    !test_bit(hcall / 4, kvm->arch.enabled_hcalls))
		return false;

	if (kvm_is_radix(kvm))
		ret = H_NOT_AVAILABLE;
	else if (hcall == H_RESIZE_HPT_COMMIT)
		ret = hvx_errno_to_hcall(hvx_resize_commit(vm, flags, order));
	else if (!flags && order <= HPT_ORDER_MAX && order > hvx_order_limit(kvm))
		ret = H_RESOURCE;
	else
		ret = hvx_errno_to_hcall(hvx_resize_prepare(vm, flags, order,
							    HVX_ORIGIN_HCALL));

	hvx_hcall_answer(vcpu, ret);
	return true;
}
