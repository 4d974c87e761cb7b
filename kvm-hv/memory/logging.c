// SPDX-License-Identifier: GPL-2.0
/*
 * Hcalls that note a page in the dirty log, where stock KVM cannot do it.
 *
 * Before POWER9, KVM serves them in real mode: H_REMOVE, H_BULK_REMOVE and H_CLEAR_MOD
 * of an entry whose page has been written to, and H_PAGE_INIT. They set the page's bit
 * in the memslot's dirty bitmap by the bitmap's address. That is one of vmalloc memory,
 * and so is nothing to store to in real mode: the host stops, as soon as a guest that is
 * being migrated unmaps a page.
 *
 * So while a memslot logs, these hcalls are intercepted. Interception has the first
 * three served by the same functions with translation on, where they are right.
 * H_PAGE_INIT's function is no module's to call, so it is here.
 *
 * VMs that are older than the module are as with stock KVM.
 */
#include <linux/kvm_host.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/cputable.h>
#include <asm/hvcall.h>

#include "base/base.h"
#include "memory/memory.h"

/* What H_PAGE_INIT makes a page of, whatever the host's are. */
#define HVX_GUEST_PAGE	SZ_4K

static const struct hvx_hook_ops hvx_logging_hook_ops = {
	.hcalls = BIT(HVX_HPT_REMOVE) | BIT(HVX_HPT_BULK_REMOVE) |
		  BIT(HVX_HPT_CLEAR_MOD) | BIT(HVX_HPT_PAGE_INIT),
};

static bool hvx_slot_logs(const struct kvm_memory_slot *slot)
{
	return slot && slot->flags & KVM_MEM_LOG_DIRTY_PAGES;
}

/**
 * hvx_logging_prepare() - a memslot is about to be made or changed
 * @vm: the VM
 * @slot: the memslot as it will be, or NULL if it is to go
 *
 * Context: kvm->slots_lock is held.
 * Return: true if hcalls have been intercepted for its sake. Then vCPUs may still be in
 * the stock handlers, and have to come out before the memslot is there.
 */
bool hvx_logging_prepare(struct hvx_vm *vm, const struct kvm_memory_slot *slot)
{
	struct hvx_logging *logging = &vm->memory->logging;

	lockdep_assert_held(&vm->kvm->slots_lock);
	if (cpu_has_feature(CPU_FTR_ARCH_300) || !hvx_slot_logs(slot) ||
	    !hlist_unhashed(&logging->hook.node))
		return false;
	hvx_hook_add(&vm->intercept, &logging->hook, &hvx_logging_hook_ops);
	return true;
}

/**
 * hvx_logging_abort() - it is not made or changed after all
 * @vm: the VM
 *
 * Context: kvm->slots_lock is held.
 */
void hvx_logging_abort(struct hvx_vm *vm)
{
	lockdep_assert_held(&vm->kvm->slots_lock);
	if (!vm->memory->logging.slots)
		hvx_hook_remove(&vm->intercept, &vm->memory->logging.hook);
}

/**
 * hvx_logging_commit() - it has been made or changed
 * @vm: the VM
 * @old: the memslot as it was, or NULL
 * @slot: as it is, or NULL
 *
 * No vCPU sees the old one any more: KVM has waited for that.
 *
 * Context: kvm->slots_lock is held.
 */
void hvx_logging_commit(struct hvx_vm *vm, const struct kvm_memory_slot *old,
			const struct kvm_memory_slot *slot)
{
	struct hvx_logging *logging = &vm->memory->logging;

	lockdep_assert_held(&vm->kvm->slots_lock);
	logging->slots += hvx_slot_logs(slot);
	logging->slots -= hvx_slot_logs(old);
	hvx_logging_abort(vm);
}

/* Where a page of the guest's is, and whose; NULL if it has no such page. */
static void __user *hvx_guest_page(struct kvm *kvm, gpa_t gpa,
				   struct kvm_memory_slot **slot)
{
	gfn_t gfn = gpa_to_gfn(gpa);

	*slot = __gfn_to_memslot(kvm_memslots(kvm), gfn);
	if (!*slot || (*slot)->flags & KVM_MEMSLOT_INVALID)
		return NULL;
	return (void __user *)(__gfn_to_hva_memslot(*slot, gfn) +
			       offset_in_page(gpa));
}

static bool hvx_guest_page_fill(struct kvm *kvm, gpa_t gpa, const void *with)
{
	struct kvm_memory_slot *slot;
	void __user *to = hvx_guest_page(kvm, gpa, &slot);

	if (!to || slot->flags & KVM_MEM_READONLY ||
	    copy_to_user(to, with, HVX_GUEST_PAGE))
		return false;
	if (slot->dirty_bitmap)
		set_bit_le(gpa_to_gfn(gpa) - slot->base_gfn, slot->dirty_bitmap);
	return true;
}

static long hvx_page_init(struct kvm *kvm, unsigned long flags, gpa_t dest, gpa_t src)
{
	struct kvm_memory_slot *slot;
	void __user *from;
	long ret = H_PARAMETER;
	void *page;

	if (flags & ~(H_ICACHE_INVALIDATE | H_ICACHE_SYNCHRONIZE | H_ZERO_PAGE |
		      H_COPY_PAGE | H_PAGE_SET_LOANED))
		return H_PARAMETER;
	if (!IS_ALIGNED(dest, HVX_GUEST_PAGE) ||
	    (flags & H_COPY_PAGE && !IS_ALIGNED(src, HVX_GUEST_PAGE)))
		return H_PARAMETER;
	/* The other flags are hints. */
	if (!(flags & (H_COPY_PAGE | H_ZERO_PAGE)))
		return H_SUCCESS;

	page = kzalloc(HVX_GUEST_PAGE, GFP_KERNEL_ACCOUNT);
	if (!page)
		return H_TOO_HARD;
	if (flags & H_COPY_PAGE) {
		from = hvx_guest_page(kvm, src, &slot);
		if (!from || copy_from_user(page, from, HVX_GUEST_PAGE))
			goto out;
	}
	if (hvx_guest_page_fill(kvm, dest, page))
		ret = H_SUCCESS;
out:
	kfree(page);
	return ret;
}

/**
 * hvx_logging_hcall() - serve an H_PAGE_INIT that has been intercepted
 * @vm: the VM
 * @vcpu: the vCPU, that came out with an hcall; outside the gate
 *
 * Context: may sleep, for as long as memory of the guest's is not there.
 * Return: true if the vCPU may run on; false if the hcall is not for us.
 */
bool hvx_logging_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	struct kvm *kvm = vm->kvm;
	long ret;
	int idx;

	if (!hvx_intercept_page_init(&vm->intercept, vcpu))
		return false;
	idx = srcu_read_lock(&kvm->srcu);
	ret = hvx_page_init(kvm, kvmppc_get_gpr(vcpu, 4), kvmppc_get_gpr(vcpu, 5),
			    kvmppc_get_gpr(vcpu, 6));
	srcu_read_unlock(&kvm->srcu, idx);

	if (ret == H_TOO_HARD)
		return false;
	hvx_hcall_answer(vcpu, ret);
	return true;
}
