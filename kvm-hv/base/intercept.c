// SPDX-License-Identifier: GPL-2.0
/*
 * Interception: how the hcalls that change or show the HPT come to those who have a
 * hand in them, and go back to stock KVM when nobody has.
 *
 * An hcall whose bit in kvm->arch.enabled_hcalls is clear leaves stock vcpu_run()
 * as one for user space, from POWER8's real-mode handlers as well as from the C
 * path of POWER9 on. There the wrapper takes it, asks the hooks, lets the stock
 * implementation do the work, and tells the hooks.
 *
 * The bit alone does not say when a hook sees every hcall: a vCPU may have tested it
 * before and be inside the stock handler still, in real mode, where neither RCU nor an
 * IPI tells when it is done. Who must see them all adds his hook while the gate is
 * closed, with every vCPU out of stock code: what any of them does afterwards comes to
 * the hook, and what was done before is in the table by then.
 *
 * The VMM may turn hcalls on and off meanwhile, and we do it in KVM's place. An hcall
 * that the VMM has on has its bit set, or is "taken": never both.
 */
#include <linux/bitops.h>
#include <linux/kvm_host.h>
#include <linux/rculist.h>

#include <asm/hvcall.h>

#include "base/intercept.h"
#include "base/hptes.h"

static const u16 hvx_hpt_hcalls[HVX_NR_HPT_HCALLS] = {
	[HVX_HPT_ENTER] = H_ENTER,
	[HVX_HPT_REMOVE] = H_REMOVE,
	[HVX_HPT_BULK_REMOVE] = H_BULK_REMOVE,
	[HVX_HPT_PROTECT] = H_PROTECT,
	[HVX_HPT_CLEAR_REF] = H_CLEAR_REF,
	[HVX_HPT_CLEAR_MOD] = H_CLEAR_MOD,
	[HVX_HPT_READ] = H_READ,
	[HVX_HPT_PAGE_INIT] = H_PAGE_INIT,
};

/* The most HPTEs that an hcall names. */
#define HVX_MAX_TOUCHED		4

static int hvx_hpt_hcall(unsigned long number)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_hpt_hcalls); i++)
		if (hvx_hpt_hcalls[i] == number)
			return i;
	return -1;
}

/**
 * hvx_intercept_known() - whether an hcall may be intercepted
 * @number: the hcall
 *
 * Context: any.
 * Return: true if so: then it is turned on and off by hvx_intercept_enable().
 */
bool hvx_intercept_known(unsigned long number)
{
	return hvx_hpt_hcall(number) >= 0;
}

static bool hvx_hcall_hooked(struct hvx_intercept *ic, int hcall)
{
	struct hvx_hook *hook;

	lockdep_assert_held(&ic->lock);
	hlist_for_each_entry(hook, &ic->hooks, node)
		if (hook->ops->hcalls & BIT(hcall))
			return true;
	return false;
}

/* Who finds the bit clear finds the hcall taken. */
static void hvx_hcall_take(struct hvx_intercept *ic, int hcall)
{
	unsigned int bit = hvx_hpt_hcalls[hcall] / 4;

	lockdep_assert_held(&ic->lock);
	if (!test_bit(bit, ic->kvm->arch.enabled_hcalls))
		return;
	set_bit(hcall, &ic->taken);
	/*
	 * Pairs with the barrier in hvx_gate_section_begin(): who found the bit clear
	 * reads on.
	 */
	smp_mb__after_atomic();
	clear_bit(bit, ic->kvm->arch.enabled_hcalls);
}

static void hvx_hcall_give_back(struct hvx_intercept *ic, int hcall)
{
	lockdep_assert_held(&ic->lock);
	if (!test_bit(hcall, &ic->taken))
		return;
	set_bit(hvx_hpt_hcalls[hcall] / 4, ic->kvm->arch.enabled_hcalls);
	/* Not taken any more: the bit is set. Pairs with hvx_hcall_is_ours(). */
	smp_mb__after_atomic();
	clear_bit(hcall, &ic->taken);
}

/*
 * Whether an hcall that has left stock KVM is to be served by us. A vCPU may come here
 * after the hcall was given back, because its bit was still clear when it left the
 * guest. Others that come are off: they are the VMM's.
 */
static __always_inline bool hvx_hcall_is_ours(struct hvx_intercept *ic, int hcall)
{
	if (test_bit(hcall, &ic->taken))
		return true;
	/* Pairs with the barrier in hvx_hcall_give_back(). */
	smp_rmb();
	return !kvm_is_radix(ic->kvm) &&
	       test_bit(hvx_hpt_hcalls[hcall] / 4, ic->kvm->arch.enabled_hcalls);
}

/* So that a vCPU goes through the hooks only if there is something in it for its hcall. */
static void hvx_hooks_sum_up(struct hvx_intercept *ic)
{
	unsigned long refuses = 0, before = 0, after = 0;
	struct hvx_hook *hook;

	lockdep_assert_held(&ic->lock);
	hlist_for_each_entry(hook, &ic->hooks, node) {
		refuses |= hook->ops->refuses ? hook->ops->hcalls : 0;
		before |= hook->ops->before ? hook->ops->hcalls : 0;
		after |= hook->ops->after ? hook->ops->hcalls : 0;
	}
	WRITE_ONCE(ic->refuses, refuses);
	WRITE_ONCE(ic->before, before);
	WRITE_ONCE(ic->after, after);
}

/**
 * hvx_hook_add() - have a hand in a VM's HPT hcalls from now on
 * @ic: the VM's
 * @hook: for hvx_hook_remove()
 * @ops: what to do
 *
 * Those that the VMM has turned off stay the VMM's, until it turns them on.
 *
 * Context: any. The gate is closed, or no vCPU has run, if none may be missed.
 */
void hvx_hook_add(struct hvx_intercept *ic, struct hvx_hook *hook,
		  const struct hvx_hook_ops *ops)
{
	int i;

	spin_lock(&ic->lock);
	hook->ops = ops;
	hlist_add_head_rcu(&hook->node, &ic->hooks);
	hvx_hooks_sum_up(ic);
	for_each_set_bit(i, &ops->hcalls, HVX_NR_HPT_HCALLS)
		hvx_hcall_take(ic, i);
	spin_unlock(&ic->lock);
}

/**
 * hvx_hook_remove() - have none any more
 * @ic: the VM's
 * @hook: the hook; one that is not in use is left alone
 *
 * Hcalls that nobody else wants are served by stock KVM again. vCPUs may still be in
 * the hook's functions: hvx_hook_wait() tells when they are not.
 *
 * Context: any.
 */
void hvx_hook_remove(struct hvx_intercept *ic, struct hvx_hook *hook)
{
	int i;

	spin_lock(&ic->lock);
	if (!hlist_unhashed(&hook->node)) {
		hlist_del_init_rcu(&hook->node);
		hvx_hooks_sum_up(ic);
		for_each_set_bit(i, &hook->ops->hcalls, HVX_NR_HPT_HCALLS)
			if (!hvx_hcall_hooked(ic, i))
				hvx_hcall_give_back(ic, i);
	}
	spin_unlock(&ic->lock);
}

/**
 * hvx_hook_wait() - wait until no vCPU is in a hook that has been removed
 * @ic: the VM's
 *
 * Context: may sleep.
 */
void hvx_hook_wait(struct hvx_intercept *ic)
{
	hvx_gate_section_wait(ic->gate);
}

/**
 * hvx_intercept_enable() - turn an hcall on or off, as the VMM says
 * @ic: the VM's
 * @number: the hcall
 * @enable: which of the two
 *
 * The bit of one that is hooked stays clear: no vCPU finds it set even for a moment.
 *
 * Context: any.
 */
void hvx_intercept_enable(struct hvx_intercept *ic, unsigned long number,
			  bool enable)
{
	int hcall = hvx_hpt_hcall(number);

	if (hcall < 0)
		return;
	spin_lock(&ic->lock);
	if (!enable) {
		/* Perhaps given back since. */
		clear_bit(number / 4, ic->kvm->arch.enabled_hcalls);
		clear_bit(hcall, &ic->taken);
	} else if (hvx_hcall_hooked(ic, hcall)) {
		set_bit(hcall, &ic->taken);
	} else {
		set_bit(number / 4, ic->kvm->arch.enabled_hcalls);
	}
	spin_unlock(&ic->lock);
}

static inline bool hvx_touches(struct kvm *kvm, u64 index)
{
	return !kvm_is_radix(kvm) && index < hpt_nr_hptes(kvm->arch.hpt.order);
}

/* Context: preemption disabled. */
static __always_inline long hvx_serve_stock(struct kvm_vcpu *vcpu, int hcall)
{
	unsigned long a0 = kvmppc_get_gpr(vcpu, 4);
	unsigned long a1 = kvmppc_get_gpr(vcpu, 5);
	unsigned long a2 = kvmppc_get_gpr(vcpu, 6);
	unsigned long a3 = kvmppc_get_gpr(vcpu, 7);

	switch (hcall) {
	case HVX_HPT_ENTER:
		return kvmppc_h_enter(vcpu, a0, a1, a2, a3);
	case HVX_HPT_REMOVE:
		return kvmppc_h_remove(vcpu, a0, a1, a2);
	case HVX_HPT_BULK_REMOVE:
		return kvmppc_h_bulk_remove(vcpu);
	case HVX_HPT_PROTECT:
		return kvmppc_h_protect(vcpu, a0, a1, a2);
	case HVX_HPT_CLEAR_REF:
		return kvmppc_h_clear_ref(vcpu, a0, a1);
	case HVX_HPT_CLEAR_MOD:
		return kvmppc_h_clear_mod(vcpu, a0, a1);
	}
	return kvmppc_h_read(vcpu, a0, a1);
}

/*
 * Whether the locks of HPTEs are free that the hcall is going to take: of those that it
 * names; for H_ENTER, of all of the group.
 */
static __always_inline bool hvx_touched_free(struct kvm_vcpu *vcpu, const u64 *index,
					     unsigned int nr, int hcall)
{
	const struct kvm_hpt_info *hpt = &vcpu->kvm->arch.hpt;
	u64 group = kvmppc_get_gpr(vcpu, 5) & ~(u64)(HPT_PTEG_SLOTS - 1);
	unsigned int i;

	if (hcall == HVX_HPT_ENTER && hvx_touches(vcpu->kvm, group))
		return !hvx_pteg_any(hvx_hptep(hpt, group), HPT_V_HVLOCK);
	for (i = 0; i < nr; i++)
		if (hvx_read_be64(hvx_hptep(hpt, index[i])) & HPT_V_HVLOCK)
			return false;
	return true;
}

/*
 * A stock handler that is preempted with an HPTE locked stops everybody who spins for
 * that lock, and the stock handlers do spin. They were written to run with preemption
 * off. So they get it off, and are not called while one of the locks is held: its holder
 * may sleep, and would never run again on this CPU. One who takes a lock after that
 * look is on another CPU, and goes on there.
 */
static __always_inline long hvx_serve(struct kvm_vcpu *vcpu, const u64 *index,
				      unsigned int nr, int hcall)
{
	int tries = 0;
	long ret;

	for (;;) {
		preempt_disable();
		if (hvx_touched_free(vcpu, index, nr, hcall))
			break;
		preempt_enable();
		if (++tries < HVX_HPTE_TRIES)
			cpu_relax();
		else
			hvx_hpte_back_off();
	}
	ret = hvx_serve_stock(vcpu, hcall);
	preempt_enable();
	return ret;
}

static __always_inline void hvx_hooks_before(struct hvx_intercept *ic,
					     struct hvx_gate_entry *entry,
					     int hcall, u64 index)
{
	struct hvx_hook *hook;

	if (!(READ_ONCE(ic->before) & BIT(hcall)))
		return;
	hlist_for_each_entry_srcu(hook, &ic->hooks, node, entry->section)
		if (hook->ops->before && hook->ops->hcalls & BIT(hcall))
			hook->ops->before(hook, index);
}

/* The hcall has failed or not: one that found nothing to do costs a look. */
static __always_inline void hvx_hooks_after(struct hvx_intercept *ic,
					    struct hvx_gate_entry *entry,
					    int hcall, u64 index)
{
	struct hvx_hook *hook;

	if (!(READ_ONCE(ic->after) & BIT(hcall)))
		return;
	hlist_for_each_entry_srcu(hook, &ic->hooks, node, entry->section)
		if (hook->ops->after && hook->ops->hcalls & BIT(hcall))
			hook->ops->after(hook, hcall, index);
}

/* The HPTEs that H_BULK_REMOVE or H_READ is about to look at. */
static unsigned int hvx_touched(struct kvm_vcpu *vcpu, int hcall,
				u64 touched[HVX_MAX_TOUCHED])
{
	unsigned int i, nr = 0;
	u64 index;

	for (i = 0; i < HVX_MAX_TOUCHED; i++) {
		if (hcall == HVX_HPT_BULK_REMOVE)
			/* Up to 4 pairs of registers; the top byte says what to do. */
			index = kvmppc_get_gpr(vcpu, 4 + 2 * i) & ((1UL << 56) - 1);
		else if (kvmppc_get_gpr(vcpu, 4) & H_READ_4)
			index = (kvmppc_get_gpr(vcpu, 5) & ~3UL) + i;
		else if (!i)
			index = kvmppc_get_gpr(vcpu, 5);
		else
			break;
		if (hvx_touches(vcpu->kvm, index))
			touched[nr++] = index;
	}
	return nr;
}

static noinline long hvx_serve_several(struct hvx_intercept *ic,
				       struct hvx_gate_entry *entry,
				       struct kvm_vcpu *vcpu, int hcall)
{
	u64 touched[HVX_MAX_TOUCHED];
	unsigned int i, nr = hvx_touched(vcpu, hcall, touched);
	long ret;

	for (i = 0; i < nr; i++)
		hvx_hooks_before(ic, entry, hcall, touched[i]);
	ret = hvx_serve(vcpu, touched, nr, hcall);
	for (i = 0; i < nr; i++)
		hvx_hooks_after(ic, entry, hcall, touched[i]);
	return ret;
}

/*
 * Most hcalls name one HPTE; H_ENTER tells afterwards which it was. In a radix guest they
 * have none: the stock handlers say so.
 */
static __always_inline long hvx_serve_one(struct hvx_intercept *ic,
					  struct hvx_gate_entry *entry,
					  struct kvm_vcpu *vcpu, int hcall)
{
	u64 index = kvmppc_get_gpr(vcpu, 5);
	bool touches = hcall != HVX_HPT_ENTER && hvx_touches(vcpu->kvm, index);
	long ret;

	if (touches)
		hvx_hooks_before(ic, entry, hcall, index);
	ret = hvx_serve(vcpu, &index, touches, hcall);
	if (hcall == HVX_HPT_ENTER && ret == H_SUCCESS) {
		index = kvmppc_get_gpr(vcpu, 4);
		touches = hvx_touches(vcpu->kvm, index);
	}
	if (touches)
		hvx_hooks_after(ic, entry, hcall, index);
	return ret;
}

static long hvx_serve_hooked(struct hvx_intercept *ic, struct hvx_gate_entry *entry,
			     struct kvm_vcpu *vcpu, int hcall)
{
	if (hcall == HVX_HPT_BULK_REMOVE || hcall == HVX_HPT_READ)
		return hvx_serve_several(ic, entry, vcpu, hcall);
	return hvx_serve_one(ic, entry, vcpu, hcall);
}

static bool hvx_refused(struct hvx_intercept *ic, struct hvx_gate_entry *entry,
			struct kvm_vcpu *vcpu, int hcall)
{
	struct hvx_hook *hook;

	if (!(READ_ONCE(ic->refuses) & BIT(hcall)))
		return false;
	hlist_for_each_entry_srcu(hook, &ic->hooks, node, entry->section)
		if (hook->ops->refuses && hook->ops->hcalls & BIT(hcall) &&
		    hook->ops->refuses(hook, vcpu))
			return true;
	return false;
}

/**
 * hvx_intercept_hcall() - serve an HPT hcall, if it comes to us
 * @ic: the VM's
 * @entry: that the vCPU has inside the gate
 * @vcpu: the vCPU, that came out with an hcall
 *
 * Hooks are used in a section of the gate's, so that no guest makes another wait. It is
 * not kvm->srcu that tells when they are not in use any more: a vCPU holds that over a
 * page fault that may take for ever. In the hooks nothing sleeps but for an HPTE's lock.
 *
 * Context: may sleep.
 * Return: true if the vCPU may run on; false if the hcall is not for us.
 */
bool hvx_intercept_hcall(struct hvx_intercept *ic, struct hvx_gate_entry *entry,
			 struct kvm_vcpu *vcpu)
{
	int idx, hcall = hvx_hpt_hcall(kvmppc_get_gpr(vcpu, 3));
	struct kvm *kvm = ic->kvm;
	long ret = H_TOO_HARD;

	if (hcall < 0 || hcall == HVX_HPT_PAGE_INIT)
		return false;

	idx = srcu_read_lock(&kvm->srcu);
	hvx_gate_section_begin(ic->gate, entry);
	if (hvx_hcall_is_ours(ic, hcall))
		ret = hvx_refused(ic, entry, vcpu, hcall) ? H_PARAMETER :
		      hvx_serve_hooked(ic, entry, vcpu, hcall);
	hvx_gate_section_end(entry);
	srcu_read_unlock(&kvm->srcu, idx);

	if (ret == H_TOO_HARD)
		return false;
	hvx_hcall_answer(vcpu, ret);
	return true;
}

/**
 * hvx_intercept_page_init() - whether an H_PAGE_INIT is for who has hooked it
 * @ic: the VM's
 * @vcpu: the vCPU, that came out with an hcall
 *
 * It writes to a page of the guest's, for which it may have to wait as long as the host
 * likes. So it is not served among the hooks, nor inside the gate.
 *
 * Context: any.
 * Return: false if it is another hcall, or the VMM's.
 */
bool hvx_intercept_page_init(struct hvx_intercept *ic, struct kvm_vcpu *vcpu)
{
	return kvmppc_get_gpr(vcpu, 3) == H_PAGE_INIT &&
	       hvx_hcall_is_ours(ic, HVX_HPT_PAGE_INIT);
}

/**
 * hvx_intercept_init() - nothing is intercepted of a new VM
 * @ic: zeroed
 * @kvm: the VM
 * @gate: the VM's
 */
void hvx_intercept_init(struct hvx_intercept *ic, struct kvm *kvm,
			struct hvx_gate *gate)
{
	ic->kvm = kvm;
	ic->gate = gate;
	spin_lock_init(&ic->lock);
}
