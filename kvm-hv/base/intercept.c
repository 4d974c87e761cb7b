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
 * The VMM may turn hcalls on and off meanwhile. Stock KVM changes the bit, and then we
 * are told. An hcall that the VMM has on has its bit set, or is "taken".
 */
#include <linux/bitops.h>
#include <linux/kvm_host.h>
#include <linux/rculist.h>
#include <linux/srcu.h>

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
};

#define HVX_MAX_TOUCHED		4

/* The HPTEs that an hcall names. */
struct hvx_touched {
	unsigned int nr;
	u64 index[HVX_MAX_TOUCHED];
};

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
 * Return: true if so: then hvx_intercept_enabled() is to be told of it.
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
	/* Pairs with the barrier in srcu_read_lock(): who found the bit clear reads on. */
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
static bool hvx_hcall_is_ours(struct hvx_intercept *ic, int hcall)
{
	if (test_bit(hcall, &ic->taken))
		return true;
	/* Pairs with the barrier in hvx_hcall_give_back(). */
	smp_rmb();
	return !kvm_is_radix(ic->kvm) &&
	       test_bit(hvx_hpt_hcalls[hcall] / 4, ic->kvm->arch.enabled_hcalls);
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
	hook->missed = false;
	hlist_add_head_rcu(&hook->node, &ic->hooks);
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
	synchronize_srcu(&ic->srcu);
}

/**
 * hvx_hook_complete() - whether a hook has seen every hcall since it was added
 * @ic: the VM's
 * @hook: the hook
 *
 * Context: the gate is closed.
 * Return: false if the VMM has turned one of them on meanwhile, so that it may have
 * gone to the stock handler.
 */
bool hvx_hook_complete(struct hvx_intercept *ic, const struct hvx_hook *hook)
{
	int i;

	/* Of one that is on already we may be told a little later. */
	for_each_set_bit(i, &hook->ops->hcalls, HVX_NR_HPT_HCALLS)
		if (test_bit(hvx_hpt_hcalls[i] / 4, ic->kvm->arch.enabled_hcalls))
			return false;
	return !READ_ONCE(hook->missed);
}

/**
 * hvx_intercept_enabled() - the VMM has turned an hcall on or off
 * @ic: the VM's
 * @number: the hcall
 * @enable: which of the two
 *
 * The bit alone does not say: it may have been set, and taken by a hook since.
 *
 * Context: any.
 */
void hvx_intercept_enabled(struct hvx_intercept *ic, unsigned long number,
			   bool enable)
{
	int hcall = hvx_hpt_hcall(number);
	struct hvx_hook *hook;

	if (hcall < 0)
		return;
	spin_lock(&ic->lock);
	if (!enable) {
		/* Perhaps given back since. */
		clear_bit(number / 4, ic->kvm->arch.enabled_hcalls);
		clear_bit(hcall, &ic->taken);
	} else if (test_bit(number / 4, ic->kvm->arch.enabled_hcalls)) {
		hlist_for_each_entry(hook, &ic->hooks, node)
			if (hook->ops->hcalls & BIT(hcall))
				WRITE_ONCE(hook->missed, true);
		if (hvx_hcall_hooked(ic, hcall))
			hvx_hcall_take(ic, hcall);
	}
	spin_unlock(&ic->lock);
}

static void hvx_touch(struct hvx_touched *t, struct kvm *kvm, u64 index)
{
	if (index < hpt_nr_hptes(kvm->arch.hpt.order))
		t->index[t->nr++] = index;
}

/* Which HPTEs an hcall is about to look at; H_ENTER says so afterwards. */
static void hvx_touched_before(struct hvx_touched *t, struct kvm_vcpu *vcpu,
			       int hcall)
{
	u64 index = kvmppc_get_gpr(vcpu, 5);
	int i;

	t->nr = 0;
	/* It has no HPTEs: the stock handlers say so. */
	if (kvm_is_radix(vcpu->kvm))
		return;
	switch (hcall) {
	case HVX_HPT_ENTER:
		break;
	case HVX_HPT_BULK_REMOVE:
		/* Up to 4 pairs of registers; the top byte says what to do. */
		for (i = 0; i < 4; i++)
			hvx_touch(t, vcpu->kvm, kvmppc_get_gpr(vcpu, 4 + 2 * i) &
						((1UL << 56) - 1));
		break;
	case HVX_HPT_READ:
		if (kvmppc_get_gpr(vcpu, 4) & H_READ_4) {
			for (i = 0; i < 4; i++)
				hvx_touch(t, vcpu->kvm, (index & ~3UL) + i);
			break;
		}
		fallthrough;
	default:
		hvx_touch(t, vcpu->kvm, index);
	}
}

/* Context: preemption disabled. */
static long hvx_serve_stock(struct kvm_vcpu *vcpu, int hcall)
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
 * Whether the lock of an HPTE that the hcall is going to take is free; for H_ENTER,
 * all those of the group.
 */
static bool hvx_touched_free(struct kvm_vcpu *vcpu, const struct hvx_touched *t,
			     int hcall)
{
	const struct kvm_hpt_info *hpt = &vcpu->kvm->arch.hpt;
	u64 index = kvmppc_get_gpr(vcpu, 5) & ~(u64)(HPT_PTEG_SLOTS - 1);
	unsigned int i;

	if (hcall == HVX_HPT_ENTER && !kvm_is_radix(vcpu->kvm) &&
	    index < hpt_nr_hptes(hpt->order))
		for (i = 0; i < HPT_PTEG_SLOTS; i++)
			if (hvx_read_be64(hvx_hptep(hpt, index + i)) &
			    HPT_V_HVLOCK)
				return false;
	for (i = 0; i < t->nr; i++)
		if (hvx_read_be64(hvx_hptep(hpt, t->index[i])) & HPT_V_HVLOCK)
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
static long hvx_serve(struct kvm_vcpu *vcpu, const struct hvx_touched *t,
		      int hcall)
{
	int tries = 0;
	long ret;

	for (;;) {
		preempt_disable();
		if (hvx_touched_free(vcpu, t, hcall))
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

static long hvx_serve_hooked(struct hvx_intercept *ic, struct kvm_vcpu *vcpu,
			     int hcall)
{
	struct hvx_touched t;
	struct hvx_hook *hook;
	unsigned int i;
	long ret;

	hvx_touched_before(&t, vcpu, hcall);
	hlist_for_each_entry_srcu(hook, &ic->hooks, node,
				  srcu_read_lock_held(&ic->srcu)) {
		if (!hook->ops->before || !(hook->ops->hcalls & BIT(hcall)))
			continue;
		for (i = 0; i < t.nr; i++)
			hook->ops->before(hook, t.index[i]);
	}

	ret = hvx_serve(vcpu, &t, hcall);

	if (hcall == HVX_HPT_ENTER && ret == H_SUCCESS)
		hvx_touch(&t, vcpu->kvm, kvmppc_get_gpr(vcpu, 4));
	/* Failed or not: an hcall that found nothing to do costs a look. */
	hlist_for_each_entry_srcu(hook, &ic->hooks, node,
				  srcu_read_lock_held(&ic->srcu)) {
		if (!hook->ops->after || !(hook->ops->hcalls & BIT(hcall)))
			continue;
		for (i = 0; i < t.nr; i++)
			hook->ops->after(hook, t.index[i]);
	}
	return ret;
}

static bool hvx_refused(struct hvx_intercept *ic, struct kvm_vcpu *vcpu, int hcall)
{
	struct hvx_hook *hook;

	hlist_for_each_entry_srcu(hook, &ic->hooks, node,
				  srcu_read_lock_held(&ic->srcu))
		if (hook->ops->refuses && hook->ops->hcalls & BIT(hcall) &&
		    hook->ops->refuses(hook, vcpu))
			return true;
	return false;
}

/**
 * hvx_intercept_hcall() - serve an HPT hcall, if it comes to us
 * @ic: the VM's
 * @vcpu: the vCPU, that came out with an hcall; inside the gate
 *
 * Context: may sleep.
 * Return: true if the vCPU may run on; false if the hcall is not for us.
 */
bool hvx_intercept_hcall(struct hvx_intercept *ic, struct kvm_vcpu *vcpu)
{
	int hcall = hvx_hpt_hcall(kvmppc_get_gpr(vcpu, 3));
	struct kvm *kvm = ic->kvm;
	long ret = H_TOO_HARD;
	int idx, hooks_idx;

	if (hcall < 0)
		return false;

	idx = srcu_read_lock(&kvm->srcu);
	hooks_idx = srcu_read_lock(&ic->srcu);
	if (hvx_refused(ic, vcpu, hcall))
		ret = H_PARAMETER;
	else if (hvx_hcall_is_ours(ic, hcall))
		ret = hvx_serve_hooked(ic, vcpu, hcall);
	srcu_read_unlock(&ic->srcu, hooks_idx);
	srcu_read_unlock(&kvm->srcu, idx);

	if (ret == H_TOO_HARD)
		return false;
	kvmppc_set_gpr(vcpu, 3, ret);
	vcpu->arch.hcall_needed = 0;
	return true;
}

/**
 * hvx_intercept_init() - nothing is intercepted of a new VM
 * @ic: zeroed
 * @kvm: the VM
 *
 * The hooks have an SRCU domain for each VM, so that no guest makes another wait. It
 * is not kvm->srcu, which a vCPU holds over a page fault that may take for ever. In the
 * hooks nothing sleeps but for an HPTE's lock.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvx_intercept_init(struct hvx_intercept *ic, struct kvm *kvm)
{
	ic->kvm = kvm;
	spin_lock_init(&ic->lock);
	return init_srcu_struct(&ic->srcu);
}

/**
 * hvx_intercept_destroy() - the opposite, when the VM has no vCPUs any more
 * @ic: the VM's
 *
 * Context: may sleep.
 */
void hvx_intercept_destroy(struct hvx_intercept *ic)
{
	cleanup_srcu_struct(&ic->srcu);
}
