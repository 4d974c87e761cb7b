// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrored prepare: the worker's walks through whole tables, and the short ways by which
 * most entries go. What these do not do is left to mirror_slot.c, and they argue from its
 * locking.
 */
#include <linux/kvm_host.h>

#include "resize/mirror.h"
#include "resize/warm.h"

/* What the walk keeps in registers. */
struct hvx_bring {
	const struct kvm_hpt_info *old;
	unsigned long from, to;			/* the tables */
	struct revmap_entry *old_rev, *rev;
	struct hpt_fold fold;
	bool warm;
};

static __always_inline struct hvx_bring hvx_mirror_bring(struct hvx_resize *rs)
{
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;

	return (struct hvx_bring) {
		.old = old,
		.from = old->virt,
		.to = rs->hpt.virt,
		.old_rev = old->rev,
		.rev = rs->hpt.rev,
		.fold = hpt_fold(rs->from, rs->order),
		.warm = hvx_mirror_of(rs)->warm,
	};
}

/*
 * The common case, at a third of the cost: the new slot is empty, and an old one goes
 * there. It is read before the new slot is locked, but stays locked until that is
 * written. So whoever changes it, or another old slot of the same new one, follows up
 * later, or else has been there, and the new slot is not empty.
 *
 * The locks are not waited for, and so may be taken in this order.
 *
 * Context: preemption disabled.
 * Return: false if nothing was done, and hvx_mirror_sync() is to.
 */
static __always_inline bool
hvx_mirror_try_bring(struct hvx_resize *rs, struct hvx_bring b, u64 i)
{
	__be64 *source = (__be64 *)(b.from + (i << HPT_HPTE_SHIFT)), *hptep;
	bool brought = false;
	u64 v, r, gr, j;

	if (!try_lock_hpte(source, HPTE_V_HVLOCK))
		return false;
	v = hvx_read_be64(&source[0]) & ~HPT_V_HVLOCK;
	r = hvx_read_be64(&source[1]);
	if (cpu_has_feature(CPU_FTR_ARCH_300))
		v = hpte_v3_to_v2_v(v, r);
	if (!hpte_in_use(v))
		goto out;
	gr = b.old_rev[i].guest_rpte;
	j = hpte_refold(v, gr, i, b.fold);
	hptep = (__be64 *)(b.to + (j << HPT_HPTE_SHIFT));
	if (!try_lock_hpte(hptep, HPTE_V_HVLOCK | HPTE_V_VALID | HPTE_V_ABSENT))
		goto out;

	brought = true;
	if (v & HPT_V_VALID)
		gr |= r & HPT_R_RC;
	b.rev[j].guest_rpte = gr;
	if (v & HPT_V_VALID && b.warm && hvx_warm_link(rs, j, v, gr))
		hvx_hpte_copy(hptep, source);
	else
		hvx_hpte_write(hptep, hpte_absent_v(v),
			       hpte_absent_r(v, gr, hpte_is_mmio(v, r)));
out:
	/* Not before ours is linked: the host may unmap it from now on. */
	hvx_hpte_unlock(source);
	return brought;
}

/*
 * The entry of a table that shrinks gives way for one that the walk has been at before:
 * that happens to many, and there is nothing to do but count it.
 *
 * The slots that j can come from are read without their locks, but with j's. Who changes
 * one of them follows that up, and locks j for it. So either we see the change, or he
 * finds out after us what is true of j. The winner among them is in j, for the walk has
 * been there; or it has changed since, and he who has changed it is about to see to it.
 *
 * Not inline, for the walk has no registers for it.
 *
 * Context: preemption disabled.
 * Return: false if nothing was done, and hvx_mirror_sync() is to.
 */
static noinline bool hvx_mirror_try_lose(struct hvx_resize *rs, u64 i)
{
	const __be64 in_use = cpu_to_be64(HPT_V_VALID | HPT_V_ABSENT);
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	const __be64 bolted = cpu_to_be64(HPT_V_BOLTED);
	u64 n = hpt_nr_hptes(rs->from), step = hpt_nr_hptes(rs->order);
	u64 at, j = i & (step - 1), best = n;
	__be64 v, *hptep = hvx_hptep(&rs->hpt, j);
	unsigned int nr = 0, nr_bolted = 0;
	bool lost = false;

	if (!try_lock_hpte(hptep, HPTE_V_HVLOCK))
		return false;
	/* An empty slot has no losers: hvx_mirror_removed() counts on that. */
	if (!(READ_ONCE(*hptep) & in_use))
		goto out;
	/* As in hvx_mirror_try_sync_slot(), and pairs with the same. */
	smp_mb();
	for (at = j; at < n; at += step) {
		v = READ_ONCE(*hvx_hptep(old, at));
		if (!(v & in_use))
			continue;
		if (v & bolted ? !nr_bolted : !nr)
			best = at;
		nr_bolted += !!(v & bolted);
		nr++;
	}
	lost = best < i;
	if (lost)
		hvx_mirror_lose(rs, j, (nr - 1) |
				(nr_bolted > 1 ? HVX_MIRROR_COLLISION : 0));
out:
	hvx_hpte_unlock(hptep);
	return lost;
}

/* Which of a PTEG's entries are in use. */
static __always_inline unsigned int hvx_mirror_in_use(const __be64 *v)
{
	const __be64 in_use = cpu_to_be64(HPT_V_VALID | HPT_V_ABSENT);
	unsigned int slot, mask = 0;

#pragma GCC unroll 8
	for (slot = 0; slot < HPT_PTEG_SLOTS; slot++)
		mask |= !!(READ_ONCE(v[2 * slot]) & in_use) << slot;
	return mask;
}

/**
 * hvx_mirror_walk_chunk() - bring a piece of the old table over
 * @rs: the resize
 * @i: its first slot, by its index in the old table; a PTEG begins with it
 * @end: behind its last
 *
 * By itself, as its loop wants all the registers.
 *
 * Context: the worker; may sleep.
 * Return: how many entries came over by the short way; the others are counted already.
 */
u64 hvx_mirror_walk_chunk(struct hvx_resize *rs, u64 i, u64 end)
{
	struct hvx_bring b = hvx_mirror_bring(rs);
	const __be64 *v = hvx_hptep(b.old, i);
	unsigned int mask;
	u64 kept = 0, at;
	bool done;

	for (; i < end; i += HPT_PTEG_SLOTS, v += 2 * HPT_PTEG_SLOTS) {
		if (!hvx_pteg_any(v, HPT_V_VALID | HPT_V_ABSENT))
			continue;
		for (mask = hvx_mirror_in_use(v); mask; mask &= mask - 1) {
			at = i + __ffs(mask);
			preempt_disable();
			done = hvx_mirror_try_bring(rs, b, at);
			kept += done;
			if (!done && !b.fold.gain)
				done = hvx_mirror_try_lose(rs, at);
			preempt_enable();
			if (unlikely(!done))
				hvx_mirror_sync(rs, at);
		}
	}
	return kept;
}

/* Whether one of the old slots that a slot can come from has a page. */
static bool hvx_mirror_source_valid(struct hvx_resize *rs, u64 j)
{
	u64 step = hpt_nr_hptes(rs->order);
	u64 i, n = hpt_nr_hptes(rs->from);

	for (i = j & (n - 1); i < n; i += step)
		if (hvx_read_be64(hvx_hptep(&rs->vm->kvm->arch.hpt, i)) &
		    HPT_V_VALID)
			return true;
	return false;
}

/**
 * hvx_mirror_warm_chunk() - warm in a piece of the new table what has been faulted in
 * @rs: the resize
 * @j: its first slot, by its index in the new table; a PTEG begins with it
 * @end: behind its last
 *
 * That is what stock KVM has faulted in since it came over.
 *
 * Context: the worker; may sleep.
 * Return: 0, as no more entries have come over.
 */
u64 hvx_mirror_warm_chunk(struct hvx_resize *rs, u64 j, u64 end)
{
	const __be64 absent = cpu_to_be64(HPT_V_ABSENT);
	const __be64 *v = hvx_hptep(&rs->hpt, j);
	unsigned int slot;

	for (; j < end; j += HPT_PTEG_SLOTS, v += 2 * HPT_PTEG_SLOTS) {
		if (!hvx_pteg_any(v, HPT_V_ABSENT))
			continue;
#pragma GCC unroll 8
		for (slot = 0; slot < HPT_PTEG_SLOTS; slot++)
			if (READ_ONCE(v[2 * slot]) & absent &&
			    hvx_mirror_source_valid(rs, j + slot))
				hvx_mirror_sync_slot(rs, j + slot);
	}
	return 0;
}

/**
 * hvx_mirror_entered() - after H_ENTER: the short way
 * @rs: the resize
 * @index: of the old slot
 *
 * If the old slot held another entry before, whoever has removed that looks himself for
 * what it has left behind in the new table, and not only in the slot that this one goes to.
 *
 * Context: inside the gate.
 * Return: false if nothing was done, and hvx_mirror_sync() is to.
 */
bool hvx_mirror_entered(struct hvx_resize *rs, u64 index)
{
	bool brought;

	preempt_disable();
	brought = hvx_mirror_try_bring(rs, hvx_mirror_bring(rs), index);
	preempt_enable();
	if (brought)
		atomic64_inc(&rs->kept);
	return brought;
}
