// SPDX-License-Identifier: GPL-2.0
/*
 * How the hcalls that change or show the HPT come to us while a mirrored resize
 * is under way.
 *
 * An hcall whose bit in kvm->arch.enabled_hcalls is clear leaves stock vcpu_run()
 * as one for user space, from POWER8's real-mode handlers as well as from the C
 * path of POWER9 on. There the wrapper takes it, lets the stock implementation
 * do the work, and follows up in the new table.
 *
 * Clearing the bits is not enough: a vCPU may have tested its bit before and be
 * inside the stock handler still, in real mode, where neither RCU nor an IPI says
 * when it is done. So the bits are cleared while the gate is closed, with every
 * vCPU out of stock code: what any of them does afterwards comes to us, and what
 * was done before is in the old table when the walk starts.
 *
 * After COMMIT the road stays open until the old table is harvested: what the
 * guest is shown of an entry must have the R and C that the hardware noted in
 * its predecessor.
 */
#include <linux/kvm_host.h>
#include <linux/srcu.h>

#include <asm/hvcall.h>

#include "resize/mirror.h"
#include "core/ops.h"

static const u16 hvx_routed_hcalls[] = {
	H_ENTER, H_REMOVE, H_BULK_REMOVE, H_PROTECT, H_CLEAR_REF, H_CLEAR_MOD,
	H_READ,
};

/*
 * Held while an hcall is served with a VM's mirror. Not kvm->srcu, which a vCPU holds
 * over a page fault that may take for ever. Here nothing sleeps but for an HPTE's lock.
 */
DEFINE_STATIC_SRCU(hvx_mirrors);

#define HVX_MAX_TOUCHED		4

/* The worker comes again soon, and the vCPUs run in between. */
#define HVX_ROUTE_LONGEST	msecs_to_jiffies(40)

/* The HPTEs that an hcall names. */
struct hvx_touched {
	unsigned int nr;
	u64 index[HVX_MAX_TOUCHED];
};

/* With a strict page-size limit H_ENTER comes to us all the time. */
static bool hvx_route_keeps(struct hvx_vm *vm, unsigned long hcall)
{
	return hcall == H_ENTER && READ_ONCE(vm->resizer.keeps_enter);
}

static int hvx_routed_bit(unsigned long hcall)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_routed_hcalls); i++)
		if (hvx_routed_hcalls[i] == hcall)
			return i;
	return -1;
}

/**
 * hvx_route_begin() - have the HPT hcalls come to us from now on
 * @rs: the resize, with the new table empty
 *
 * Context: the worker; may sleep.
 * Return: 0, -ECANCELED if the resize has been given up, or -EAGAIN if a vCPU
 * could not be stopped now.
 */
int hvx_route_begin(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = &rs->vm->resizer;
	unsigned long *enabled = rs->vm->kvm->arch.enabled_hcalls;
	int i, ret = -ECANCELED;

	mutex_lock(&rz->lock);
	if (rz->pending != rs)
		goto out;
	ret = hvx_gate_close(&rs->vm->gate, HVX_ROUTE_LONGEST);
	if (ret)
		goto out;

	spin_lock(&rz->routed_lock);
	for (i = 0; i < ARRAY_SIZE(hvx_routed_hcalls); i++)
		if (test_and_clear_bit(hvx_routed_hcalls[i] / 4, enabled) ||
		    hvx_route_keeps(rs->vm, hvx_routed_hcalls[i]))
			__set_bit(i, &rs->routed);
	rcu_assign_pointer(rz->mirror, rs);
	spin_unlock(&rz->routed_lock);

	hvx_gate_open(&rs->vm->gate);
out:
	mutex_unlock(&rz->lock);
	return ret;
}

/**
 * hvx_route_end() - have the HPT hcalls served by stock code again
 * @rs: the resize; on return no vCPU uses it
 *
 * The bits go back to what they were, less what the VMM has turned off since.
 *
 * Context: may sleep.
 */
void hvx_route_end(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = &rs->vm->resizer;
	unsigned long *enabled = rs->vm->kvm->arch.enabled_hcalls;
	int i;

	spin_lock(&rz->routed_lock);
	if (rcu_access_pointer(rz->mirror) == rs) {
		for_each_set_bit(i, &rs->routed, ARRAY_SIZE(hvx_routed_hcalls))
			if (!hvx_route_keeps(rs->vm, hvx_routed_hcalls[i]))
				set_bit(hvx_routed_hcalls[i] / 4, enabled);
		/* Who finds no mirror finds the bits: pairs with hvx_hpt_hcall(). */
		smp_wmb();
		RCU_INIT_POINTER(rz->mirror, NULL);
	}
	spin_unlock(&rz->routed_lock);
	synchronize_srcu_expedited(&hvx_mirrors);
}

/**
 * hvx_route_complete() - whether every HPT hcall has come to us
 * @rs: the resize
 *
 * Context: the gate is closed.
 * Return: false if the VMM has turned one of the hcalls on meanwhile, which made
 * it go to the stock handler.
 */
bool hvx_route_complete(struct hvx_resize *rs)
{
	unsigned long *enabled = rs->vm->kvm->arch.enabled_hcalls;
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_routed_hcalls); i++)
		if (test_bit(hvx_routed_hcalls[i] / 4, enabled))
			return false;
	return !READ_ONCE(rs->missed);
}

/**
 * hvx_route_keep_enter() - have H_ENTER come to us from now on
 * @vm: the VM, of which no vCPU has run yet
 *
 * If the VMM has turned H_ENTER off it stays the VMM's.
 *
 * Context: any.
 */
void hvx_route_keep_enter(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = &vm->resizer;
	struct hvx_resize *rs;

	spin_lock(&rz->routed_lock);
	rs = rcu_dereference_protected(rz->mirror,
				       lockdep_is_held(&rz->routed_lock));
	if (test_and_clear_bit(H_ENTER / 4, vm->kvm->arch.enabled_hcalls) ||
	    (rs && test_bit(hvx_routed_bit(H_ENTER), &rs->routed)))
		WRITE_ONCE(rz->keeps_enter, true);
	spin_unlock(&rz->routed_lock);
}

/**
 * hvx_route_hcall_enabled() - the VMM has turned an hcall on or off
 * @vm: the VM
 * @hcall: its number
 * @enable: which of the two
 *
 * The bit alone does not say: if it was set, the road may have been opened since.
 *
 * Context: atomic, after KVM_ENABLE_CAP has succeeded.
 */
void hvx_route_hcall_enabled(struct hvx_vm *vm, unsigned long hcall,
			     bool enable)
{
	struct hvx_resizer *rz = &vm->resizer;
	int bit = hvx_routed_bit(hcall);
	struct hvx_resize *rs;

	if (bit < 0)
		return;
	spin_lock(&rz->routed_lock);
	rs = rcu_dereference_protected(rz->mirror,
				       lockdep_is_held(&rz->routed_lock));
	if (rs && !enable)
		__clear_bit(bit, &rs->routed);
	else if (rs && test_bit(hcall / 4, vm->kvm->arch.enabled_hcalls))
		WRITE_ONCE(rs->missed, true);
	if (hcall == H_ENTER && hvx_limit_strict(&vm->limit)) {
		WRITE_ONCE(rz->keeps_enter, enable);
		clear_bit(hcall / 4, vm->kvm->arch.enabled_hcalls);
	}
	spin_unlock(&rz->routed_lock);
}

static void hvx_touch(struct hvx_touched *t, struct kvm *kvm, u64 index)
{
	if (index < hpt_nr_hptes(kvm->arch.hpt.order))
		t->index[t->nr++] = index;
}

/* Which HPTEs an hcall is about to look at; H_ENTER says so afterwards. */
static void hvx_touched_before(struct hvx_touched *t, struct kvm_vcpu *vcpu,
			       unsigned long hcall)
{
	u64 index = kvmppc_get_gpr(vcpu, 5);
	int i;

	t->nr = 0;
	switch (hcall) {
	case H_ENTER:
		break;
	case H_BULK_REMOVE:
		/* Up to 4 pairs of registers; the top byte says what to do. */
		for (i = 0; i < 4; i++)
			hvx_touch(t, vcpu->kvm, kvmppc_get_gpr(vcpu, 4 + 2 * i) &
						((1UL << 56) - 1));
		break;
	case H_READ:
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
static long hvx_hpt_hcall_stock(struct kvm_vcpu *vcpu, unsigned long hcall)
{
	unsigned long a0 = kvmppc_get_gpr(vcpu, 4);
	unsigned long a1 = kvmppc_get_gpr(vcpu, 5);
	unsigned long a2 = kvmppc_get_gpr(vcpu, 6);
	unsigned long a3 = kvmppc_get_gpr(vcpu, 7);

	switch (hcall) {
	case H_ENTER:
		return kvmppc_h_enter(vcpu, a0, a1, a2, a3);
	case H_REMOVE:
		return kvmppc_h_remove(vcpu, a0, a1, a2);
	case H_BULK_REMOVE:
		return kvmppc_h_bulk_remove(vcpu);
	case H_PROTECT:
		return kvmppc_h_protect(vcpu, a0, a1, a2);
	case H_CLEAR_REF:
		return kvmppc_h_clear_ref(vcpu, a0, a1);
	case H_CLEAR_MOD:
		return kvmppc_h_clear_mod(vcpu, a0, a1);
	}
	return kvmppc_h_read(vcpu, a0, a1);
}

/*
 * Whether the lock of an HPTE that the hcall is going to take is free; for H_ENTER,
 * all those of the group.
 */
static bool hvx_touched_free(struct kvm *kvm, struct kvm_vcpu *vcpu,
			     const struct hvx_touched *t, unsigned long hcall)
{
	const struct kvm_hpt_info *hpt = &kvm->arch.hpt;
	u64 index = kvmppc_get_gpr(vcpu, 5) & ~(u64)(HPT_PTEG_SLOTS - 1);
	unsigned int i;

	if (hcall == H_ENTER && index < hpt_nr_hptes(hpt->order))
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
 * Stock KVM's handlers are not ready for being preempted with an HPTE locked, and were
 * called with preemption off on all kernels of their time, in real mode or in a kernel
 * that knew none. They also spin for the lock. So it is looked at before: not
 * even a holder that sleeps makes them spin, unless it takes the lock just now on
 * another CPU, and then it can also go on there.
 */
static long hvx_hpt_hcall_serve(struct kvm_vcpu *vcpu,
				const struct hvx_touched *t, unsigned long hcall)
{
	int tries = 0;
	long ret;

	for (;;) {
		preempt_disable();
		if (hvx_touched_free(vcpu->kvm, vcpu, t, hcall))
			break;
		preempt_enable();
		if (++tries < HVX_HPTE_TRIES)
			cpu_relax();
		else
			hvx_hpte_back_off();
	}
	ret = hvx_hpt_hcall_stock(vcpu, hcall);
	preempt_enable();
	return ret;
}

/* Bring the entry's R and C over from its predecessor, if that has any left. */
static void hvx_harvest_successor(struct hvx_resize *rs, u64 index)
{
	const struct kvm_hpt_info *hpt = &rs->vm->kvm->arch.hpt;
	struct hvx_entry e;

	hvx_entry_read(hpt, index, &e);
	if (e.v)
		hvx_harvest_one(rs, hpte_rehash(e.v, e.gr, index, hpt->order,
						rs->hpt.order));
}

static long hvx_hpt_hcall_routed(struct hvx_resize *rs, struct kvm_vcpu *vcpu,
				 unsigned long hcall)
{
	struct hvx_touched t;
	unsigned int i;
	long ret;

	hvx_touched_before(&t, vcpu, hcall);
	if (rs && rs->committed)
		for (i = 0; i < t.nr; i++)
			hvx_harvest_successor(rs, t.index[i]);

	ret = hvx_hpt_hcall_serve(vcpu, &t, hcall);

	if (!rs || rs->committed || hcall == H_READ)
		return ret;
	if (hcall == H_ENTER && ret == H_SUCCESS)
		hvx_touch(&t, vcpu->kvm, kvmppc_get_gpr(vcpu, 4));
	/* Failed or not: an hcall that found nothing to do costs a look. */
	for (i = 0; i < t.nr; i++)
		hvx_mirror_sync(rs, t.index[i]);
	return ret;
}

/**
 * hvx_hpt_hcall() - serve an HPT hcall that has been routed to us
 * @vm: the VM
 * @vcpu: the vCPU, that came out with an hcall; inside the gate
 *
 * A vCPU may come here after the road was closed again, because its bit was
 * still clear when it left the guest. It is served as well.
 *
 * Context: may sleep.
 * Return: true if the vCPU may run on; false if the hcall is not for us.
 */
bool hvx_hpt_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	unsigned long hcall = kvmppc_get_gpr(vcpu, 3);
	int bit = hvx_routed_bit(hcall);
	struct kvm *kvm = vm->kvm;
	struct hvx_resize *rs;
	long ret = H_TOO_HARD;
	int idx, mirror_idx;

	if (bit < 0 || (kvm_is_radix(kvm) && !hvx_route_keeps(vm, hcall)))
		return false;

	idx = srcu_read_lock(&kvm->srcu);
	mirror_idx = srcu_read_lock(&hvx_mirrors);
	rs = srcu_dereference(vm->resizer.mirror, &hvx_mirrors);
	/* Pairs with the barrier in hvx_route_end(). */
	smp_rmb();
	if (hcall == H_ENTER && hvx_limit_refuses(vm, vcpu))
		ret = H_PARAMETER;
	else if ((rs ? test_bit(bit, &rs->routed) :
		       test_bit(hcall / 4, kvm->arch.enabled_hcalls)) ||
		 hvx_route_keeps(vm, hcall))
		ret = hvx_hpt_hcall_routed(rs, vcpu, hcall);
	srcu_read_unlock(&hvx_mirrors, mirror_idx);
	srcu_read_unlock(&kvm->srcu, idx);

	if (ret == H_TOO_HARD)
		return false;
	kvmppc_set_gpr(vcpu, 3, ret);
	vcpu->arch.hcall_needed = 0;
	return true;
}
