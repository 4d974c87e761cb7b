// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrored prepare: from PREPARE on, the new table follows the old one, so that
 * COMMIT has nothing left to do but switch.
 *
 * There is one operation: "make slot j of the new table what it should be now",
 * by reading the old slots that j can come from. It is idempotent, so it does
 * not matter how often or by whom it is done: by the worker that walks the old
 * table, or by the vCPU whose hcall has changed one of those slots (intercept.c).
 *
 * What j should be is decided while j is locked, and a vCPU does it after its
 * change is in the old table. So of all that concern j, the one that locks it
 * last sees every change, and what it writes stands.
 *
 * Who decides what j should be also holds the lock of the old entry that it comes
 * from, until the new one is as it is to be. So of what the host does to the old entry
 * meanwhile, nothing falls between the two; warm.c has the rest of that.
 *
 * A slot of a larger table can come from one old slot. One of a smaller table
 * can come from 2^k: a bolted entry wins, then the one in the lowest PTEG, and
 * two bolted ones are a collision that fails COMMIT unless one has gone by then.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "resize/knobs.h"
#include "resize/trace.h"
#include "resize/mirror.h"
#include "resize/warm.h"

/*
 * An hcall looks at 2^k slots. Beyond this many orders at a time COMMIT copies,
 * so that a guest cannot make its hcalls arbitrarily long.
 */
#define HVX_MIRROR_MAX_ORDERS	6

/* HPTEs between two looks at whether to go on, and between two trace events. */
#define HVX_MIRROR_CHUNK	4096
#define HVX_MIRROR_TRACE	BIT(20)

/* The worker comes again soon, and the vCPUs run in between. */
#define HVX_MIRROR_LONGEST	msecs_to_jiffies(40)

/*
 * For each slot of a smaller table: how many entries had to give way for it, fewer than
 * 2^HVX_MIRROR_MAX_ORDERS, and whether it is collided. Protected by the slot's lock.
 */
#define HVX_MIRROR_LOSERS	0x7f
#define HVX_MIRROR_COLLISION	0x80

/* What a slot of the new table should hold. */
struct hvx_wanted {
	struct hvx_entry e;
	__be64 *source;		/* the old HPTE, locked, or NULL if there is none */
	u8 losers;		/* HVX_MIRROR_COLLISION too */
};

static bool hvx_mirror_possible(struct kvm *kvm, unsigned int from,
				unsigned int to)
{
	unsigned int k = from > to ? from - to : to - from;

	/*
	 * The entries of the VRMA are made without an hcall when the first vCPU
	 * runs; mmu_ready says that it has.
	 */
	return from && READ_ONCE(kvm->arch.mmu_ready) &&
	       k <= HVX_MIRROR_MAX_ORDERS;
}

static inline void hvx_mirror_let_go(struct hvx_wanted *want)
{
	if (want->source)
		hvx_hpte_unlock(want->source);
	want->source = NULL;
}

/*
 * An old slot that is empty needs no lock: whoever is filling it brings it over
 * afterwards, and stock KVM never shows an entry that is in use as one that is not.
 *
 * Context: preemption disabled, kvm->srcu or the worker.
 * Return: false, with nothing locked, if an old slot's lock is not to be had.
 */
static bool hvx_mirror_want(struct hvx_resize *rs, u64 j,
			    struct hvx_wanted *want)
{
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	u64 step = hpt_nr_hptes(rs->order);
	u64 i, n = hpt_nr_hptes(rs->from);
	struct hvx_entry e;
	__be64 *hptep;

	want->source = NULL;
	want->losers = 0;
	for (i = j & (n - 1); i < n; i += step) {
		hptep = hvx_hptep(old, i);
		if (!hpte_in_use(hvx_read_be64(hptep)))
			continue;
		if (!hvx_hpte_trylock(hptep)) {
			hvx_mirror_let_go(want);
			return false;
		}
		hvx_entry_locked(old, i, &e);
		if (!e.v || hpte_rehash(e.v, e.gr, i, rs->from, rs->order) != j) {
			hvx_hpte_unlock(hptep);
			continue;
		}
		if (want->source) {
			want->losers++;
			if (e.v & want->e.v & HPT_V_BOLTED)
				want->losers |= HVX_MIRROR_COLLISION;
			if (!(e.v & ~want->e.v & HPT_V_BOLTED)) {
				hvx_hpte_unlock(hptep);
				continue;
			}
			hvx_mirror_let_go(want);
		}
		want->source = hptep;
		want->e = e;
	}
	return true;
}

/* The slot and its source are locked. Return: whether it is in its reverse map now. */
static bool hvx_mirror_relink(struct hvx_resize *rs, u64 j, u64 v,
			      const struct hvx_wanted *want)
{
	bool linked = v & HPT_V_VALID;
	bool valid = hvx_mirror_of(rs)->warm && want->source && (want->e.v & HPT_V_VALID);
	u64 gr = rs->hpt.rev[j].guest_rpte;

	if (linked && valid &&
	    hvx_warm_gfn(v, gr) == hvx_warm_gfn(want->e.v, want->e.gr))
		return true;
	if (linked)
		hvx_warm_unlink(rs, j, v, gr);
	return valid && hvx_warm_link(rs, j, want->e.v, want->e.gr);
}

/* How many give way for what is in a slot, locked, of a smaller table. */
static void hvx_mirror_lose(struct hvx_resize *rs, u64 j, u8 losers)
{
	struct hvx_mirror *mirror = hvx_mirror_of(rs);
	u8 before = mirror->losers[j];

	if (before == losers)
		return;
	mirror->losers[j] = losers;
	atomic64_add((losers & HVX_MIRROR_LOSERS) - (before & HVX_MIRROR_LOSERS),
		     &rs->dropped);
	if ((before ^ losers) & HVX_MIRROR_COLLISION)
		atomic64_add(losers & HVX_MIRROR_COLLISION ? 1 : -1,
			     &mirror->collisions);
}

static void hvx_mirror_count(struct hvx_resize *rs, u64 j, u64 v,
			     const struct hvx_wanted *want)
{
	int kept = !!want->source - hpte_in_use(v);

	if (kept)
		atomic64_add(kept, &rs->kept);
	if (hvx_mirror_of(rs)->losers)
		hvx_mirror_lose(rs, j, want->losers);
}

/* Context: preemption disabled. Return: false if it has to be done again. */
static bool hvx_mirror_try_sync_slot(struct hvx_resize *rs, u64 j)
{
	struct revmap_entry *rev = &rs->hpt.rev[j];
	__be64 *hptep = hvx_hptep(&rs->hpt, j);
	struct hvx_wanted want;
	bool linked;
	u64 v;

	if (!hvx_hpte_trylock(hptep))
		return false;
	/*
	 * The lock is visible before the old slots are read. Pairs with the
	 * barrier in hvx_mirror_sync(): either that sees the lock, or we see
	 * the change that it follows up.
	 */
	smp_mb();
	v = hvx_hpte_v(hptep);
	if (!hvx_mirror_want(rs, j, &want)) {
		/* As it was: what is true of j then, is found out under its lock. */
		hvx_hpte_unlock(hptep);
		return false;
	}

	hvx_mirror_count(rs, j, v, &want);
	linked = hvx_mirror_relink(rs, j, v, &want);
	if (!want.source) {
		rev->guest_rpte = 0;
		unlock_hpte(hptep, 0);
		return true;
	}
	rev->guest_rpte = want.e.gr;
	if (linked)
		hvx_hpte_copy(hptep, want.source);
	else
		hvx_hpte_write(hptep, hpte_absent_v(want.e.v),
			       hpte_absent_r(want.e.v, want.e.gr, want.e.mmio));
	/* Not before ours is linked: the host may unmap it from now on. */
	hvx_mirror_let_go(&want);
	return true;
}

static void hvx_mirror_sync_slot(struct hvx_resize *rs, u64 j)
{
	bool done;

	for (;;) {
		preempt_disable();
		done = hvx_mirror_try_sync_slot(rs, j);
		preempt_enable();
		if (done)
			return;
		hvx_hpte_back_off();
	}
}

/*
 * Where the entry of an old slot goes, or beyond the new table if there is none. The
 * slot is not locked: who changes meanwhile what this depends on follows it up himself,
 * and the host changes nothing of that.
 */
static u64 hvx_mirror_to(struct hvx_resize *rs, u64 index)
{
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	u64 v = hvx_hpte_v(hvx_hptep(old, index));

	if (!hpte_in_use(v))
		return hpt_nr_hptes(rs->order);
	return hpte_rehash(v, READ_ONCE(old->rev[index].guest_rpte), index,
			   rs->from, rs->order);
}

/*
 * Make the new table agree with a slot of the old one.
 *
 * Between the change of the old slot and the end of this the vCPU may be preempted or
 * sleep. The new slot is then out of date, but nobody uses it: COMMIT waits until
 * every vCPU has left the gate, so until this is done.
 *
 * Context: may sleep; inside the gate, or the worker.
 */
static void hvx_mirror_sync(struct hvx_resize *rs, u64 index)
{
	u64 j, n = hpt_nr_hptes(rs->order);
	u64 step = hpt_nr_hptes(rs->from);
	u64 to;

	if (rs->order <= rs->from) {
		hvx_mirror_sync_slot(rs, index & (n - 1));
		return;
	}

	to = hvx_mirror_to(rs, index);
	/*
	 * The change in the old table comes before the look for what it may have
	 * left behind in the new one. Pairs with hvx_mirror_sync_slot().
	 */
	smp_mb();
	for (j = index; j < n; j += step)
		if (j == to || READ_ONCE(*hvx_hptep(&rs->hpt, j)))
			hvx_mirror_sync_slot(rs, j);
}

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

/* By itself, as its loop wants all the registers. Return: how many came over. */
static noinline u64 hvx_mirror_walk_chunk(struct hvx_resize *rs, u64 i, u64 end)
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

/* What stock KVM has faulted in since it came over. */
static noinline u64 hvx_mirror_warm_chunk(struct hvx_resize *rs, u64 j, u64 end)
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

/* Through a table, in pieces. */
static int hvx_mirror_pass(struct hvx_resize *rs, unsigned int order, u64 before,
			   u64 (*chunk)(struct hvx_resize *rs, u64 i, u64 end))
{
	u64 i, n = hpt_nr_hptes(order);

	for (i = 0; i < n; i += HVX_MIRROR_CHUNK) {
		if (READ_ONCE(rs->progress.cancel))
			return -ECANCELED;
		WRITE_ONCE(rs->progress.done, min(before + (i << HPT_HPTE_SHIFT),
						  rs->progress.total));
		if (!(i % HVX_MIRROR_TRACE))
			trace_hvx_progress(rs->vm->kvm, rs->order,
					   rs->progress.done,
					   rs->progress.total);
		atomic64_add(chunk(rs, i, i + HVX_MIRROR_CHUNK), &rs->kept);
		hvx_relax();
	}
	return 0;
}

/*
 * After H_ENTER. If the old slot held another entry before, whoever has removed that
 * looks himself for what it has left behind in the new table, and not only in the slot
 * that this one goes to.
 */
static bool hvx_mirror_entered(struct hvx_resize *rs, u64 index)
{
	bool brought;

	preempt_disable();
	brought = hvx_mirror_try_bring(rs, hvx_mirror_bring(rs), index);
	preempt_enable();
	if (brought)
		atomic64_inc(&rs->kept);
	return brought;
}

/* Whether an entry has had to give way for what is in a slot of a smaller table. */
static bool hvx_mirror_has_losers(const struct hvx_mirror *mirror, u64 j)
{
	return mirror->losers && mirror->losers[j];
}

/*
 * A slot of the new table that should be empty: hvx_mirror_try_sync_slot() without what
 * an entry needs that comes in its place.
 *
 * Context: preemption disabled. Return: false if nothing was done.
 */
static bool hvx_mirror_try_clear(struct hvx_resize *rs, u64 j)
{
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	__be64 *hptep = hvx_hptep(&rs->hpt, j);
	u64 i, v, n = hpt_nr_hptes(rs->from);
	struct revmap_entry *rev = &rs->hpt.rev[j];

	if (!try_lock_hpte(hptep, HPTE_V_HVLOCK))
		return false;
	/* As in hvx_mirror_try_sync_slot(), and pairs with the same. */
	smp_mb();
	if (hvx_mirror_has_losers(hvx_mirror_of(rs), j))
		goto not;
	for (i = j & (n - 1); i < n; i += hpt_nr_hptes(rs->order))
		if (hpte_in_use(hvx_read_be64(hvx_hptep(old, i))))
			goto not;

	v = hvx_hpte_v(hptep);
	if (hpte_in_use(v))
		atomic64_dec(&rs->kept);
	if (v & HPT_V_VALID)
		hvx_warm_unlink(rs, j, v, rev->guest_rpte);
	rev->guest_rpte = 0;
	unlock_hpte(hptep, 0);
	return true;
not:
	hvx_hpte_unlock(hptep);
	return false;
}

/*
 * After H_REMOVE or H_BULK_REMOVE. The old slot is empty, unless another vCPU has been
 * quick. Of the new ones that its entry can have been in, one is in use; or none, if the
 * entry had not come over, or was gone already.
 */
static bool hvx_mirror_removed(struct hvx_resize *rs, u64 index)
{
	u64 j, n = hpt_nr_hptes(rs->order);
	bool cleared;

	/* As in hvx_mirror_sync(). */
	smp_mb();
	for (j = index & (n - 1); j < n; j += hpt_nr_hptes(rs->from)) {
		if (!READ_ONCE(*hvx_hptep(&rs->hpt, j)))
			continue;
		preempt_disable();
		cleared = hvx_mirror_try_clear(rs, j);
		preempt_enable();
		if (!cleared)
			return false;
	}
	return true;
}

static void hvx_mirror_after(struct hvx_hook *hook, enum hvx_hpt_hcall hcall,
			     u64 index)
{
	struct hvx_resize *rs = container_of(hook, struct hvx_mirror, hook)->rs;

	if (hcall == HVX_HPT_ENTER && hvx_mirror_entered(rs, index))
		return;
	if ((hcall == HVX_HPT_REMOVE || hcall == HVX_HPT_BULK_REMOVE) &&
	    hvx_mirror_removed(rs, index))
		return;
	hvx_mirror_sync(rs, index);
}

static const struct hvx_hook_ops hvx_mirror_hook_ops = {
	.hcalls = BIT(HVX_HPT_ENTER) | BIT(HVX_HPT_REMOVE) |
		  BIT(HVX_HPT_BULK_REMOVE) | BIT(HVX_HPT_PROTECT) |
		  BIT(HVX_HPT_CLEAR_REF) | BIT(HVX_HPT_CLEAR_MOD),
	.after = hvx_mirror_after,
};

/*
 * From here on each hcall that changes the old table is followed up, and what the
 * host does to it.
 */
static int hvx_mirror_begin(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = rs->vm->resizer;
	int ret = -ECANCELED;

	mutex_lock(&rz->lock);
	if (rz->pending == rs)
		ret = hvx_gate_close(&rs->vm->gate, HVX_MIRROR_LONGEST);
	if (!ret) {
		if (hvx_mirror_of(rs)->warm)
			hvx_warm_begin(rs);
		hvx_hook_add(&rs->vm->intercept, &hvx_mirror_of(rs)->hook,
			     &hvx_mirror_hook_ops);
		hvx_gate_open(&rs->vm->gate);
	}
	mutex_unlock(&rz->lock);
	return ret;
}

static struct hvx_mirror *hvx_mirror_alloc(struct hvx_resize *rs)
{
	struct mem_cgroup *memcg, *old;
	struct hvx_mirror *mirror;

	memcg = hvx_charge_begin(rs->vm->kvm, &old);
	mirror = hvx_fail_alloc() ? NULL : kzalloc(sizeof(*mirror), HVX_GFP);
	if (mirror && rs->order < rs->from) {
		mirror->losers = hvx_fail_alloc() ? NULL :
			__vmalloc(hpt_nr_hptes(rs->order), HVX_GFP | __GFP_ZERO);
		if (!mirror->losers) {
			kfree(mirror);
			mirror = NULL;
		}
	}
	hvx_charge_end(memcg, old);
	return mirror;
}

/*
 * What is empty in the old table is empty in the new one too, unless an hcall
 * has filled both in the meantime.
 */
static int hvx_mirror_populate(struct hvx_resize *rs)
{
	u64 before = hvx_hpt_bytes(rs->order);
	struct hvx_mirror *mirror = rs->data;
	int ret;

	if (!mirror) {
		mirror = hvx_mirror_alloc(rs);
		if (!mirror)
			return -ENOMEM;
		mirror->rs = rs;
		mirror->warm = hvx_warm_wanted();
		rs->data = mirror;
	}
	ret = hvx_mirror_begin(rs);
	if (!ret)
		ret = hvx_mirror_pass(rs, rs->from, before,
				      hvx_mirror_walk_chunk);
	if (!ret && mirror->warm)
		ret = hvx_mirror_pass(rs, rs->order, before + (1ULL << rs->from),
				      hvx_mirror_warm_chunk);
	if (!ret)
		WRITE_ONCE(rs->progress.done, rs->progress.total);
	return ret;
}

/*
 * An absent entry that was marked as emulated MMIO becomes valid if a memslot has come
 * since it was entered, and the guest touches it. Its copy keeps the mark, which is
 * right: the mark is a hint of what the fault is about, and KVM's fault handler looks
 * for a memslot all the same.
 */
static u64 hvx_mirror_want_r(const struct hvx_entry *e, u64 r)
{
	bool mmio = e->mmio;

	if (e->v & HPT_V_VALID)
		mmio = hpte_is_mmio(hpte_absent_v(e->v), r);
	return hpte_absent_r(e->v, e->gr, mmio);
}

/*
 * A valid entry: its source is, with the same page; a fault may have made that
 * writable since. The hardware's R and C come with the harvest.
 */
static bool hvx_mirror_valid_right(struct hvx_resize *rs, u64 j,
				   const struct hvx_wanted *want)
{
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	u64 r = hvx_read_be64(&hptep[1]), from;

	if (!want->source || !(want->e.v & HPT_V_VALID))
		return false;
	from = hvx_read_be64(&want->source[1]) & ~HPT_R_RC;
	return hvx_hpte_v(hptep) == want->e.v &&
	       (r == from || r == hpte_make_readonly(from)) &&
	       hvx_warm_linked(rs, j);
}

static bool hvx_mirror_absent_right(struct hvx_resize *rs, u64 j,
				    const struct hvx_wanted *want)
{
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	u64 v = hvx_hpte_v(hptep);
	u64 r = hvx_read_be64(&hptep[1]), want_r;

	if (!want->source)
		return !hpte_in_use(v);
	want_r = hvx_mirror_want_r(&want->e, r);
	/* The segment size has taken the place of the top of an MMIO address. */
	if (cpu_has_feature(CPU_FTR_ARCH_300)) {
		r = hpte_v3_to_v2_r(r);
		want_r = hpte_v3_to_v2_r(want_r);
	}
	return v == hpte_absent_v(want->e.v) && !((r ^ want_r) & ~HPT_R_RC);
}

/* R and C may have been noted since; the harvest brings them. */
static bool hvx_mirror_view_right(u64 gr, u64 want_gr)
{
	return !((gr ^ want_gr) & ~(HPT_R_RC | HPT_GR_MODIFIED)) &&
	       !(gr & ~want_gr & HPT_R_RC);
}

/*
 * Between two MMU notifiers, of which each unmaps both tables.
 * Return: -EAGAIN if an old slot could not be read.
 */
static int hvx_mirror_slot_right(struct hvx_resize *rs, u64 j)
{
	const struct hvx_mirror *mirror = hvx_mirror_of(rs);
	const struct revmap_entry *rev = &rs->hpt.rev[j];
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	struct hvx_wanted want;
	bool right;

	if (!hvx_mirror_want(rs, j, &want))
		return -EAGAIN;
	right = hvx_read_be64(hptep) & HPT_V_VALID ?
		hvx_mirror_valid_right(rs, j, &want) :
		hvx_mirror_absent_right(rs, j, &want);
	if (want.source)
		right = right && hvx_mirror_view_right(rev->guest_rpte, want.e.gr);
	if (mirror->losers)
		right = right && mirror->losers[j] == want.losers;
	if (!right)
		pr_err_ratelimited("verify: lpid %llu order %u -> %u slot %llx: %016llx %016llx guest %016llx, should be %016llx %016llx guest %016llx\n",
				   (u64)rs->vm->kvm->arch.lpid, rs->from, rs->order, j,
				   hvx_hpte_v(hptep), hvx_read_be64(&hptep[1]),
				   (u64)rev->guest_rpte, want.source ? want.e.v : 0,
				   want.source ? hvx_read_be64(&want.source[1]) : 0,
				   want.source ? want.e.gr : 0);
	hvx_mirror_let_go(&want);
	return right ? 0 : -EIO;
}

static int hvx_mirror_verify(struct hvx_resize *rs)
{
	u64 j = 0, n = hpt_nr_hptes(rs->order);
	struct kvm *kvm = rs->vm->kvm;
	int ret;

	while (j < n) {
		if (!(j % HVX_MIRROR_CHUNK))
			hvx_relax();
		spin_lock(&kvm->mmu_lock);
		ret = hvx_mirror_slot_right(rs, j);
		spin_unlock(&kvm->mmu_lock);
		if (ret == -EIO)
			return ret;
		if (ret)
			hvx_hpte_back_off();
		else
			j++;
	}
	return hvx_warm_chains_right(rs) ? 0 : -EIO;
}

static bool hvx_mirror_collides(struct hvx_resize *rs)
{
	return atomic64_read(&hvx_mirror_of(rs)->collisions);
}

static int hvx_mirror_commit(struct hvx_resize *rs)
{
	int ret = 0;

	if (hvx_mirror_collides(rs))
		return -ENOSPC;
	if (hvx_verify())
		ret = hvx_mirror_verify(rs);
	return ret;
}

static void hvx_mirror_stop(struct hvx_resize *rs)
{
	if (!rs->data)
		return;
	hvx_warm_end(rs);
	hvx_hook_remove(&rs->vm->intercept, &hvx_mirror_of(rs)->hook);
}

static void hvx_mirror_free(struct hvx_resize *rs)
{
	if (!rs->data)
		return;
	vfree(hvx_mirror_of(rs)->losers);
	kfree(rs->data);
	rs->data = NULL;
}

const struct hvx_strategy hvx_mirror_strategy = {
	.name = "mirror",
	.id = KVM_PPC_HPT_RESIZE_MIRROR,
	.possible = hvx_mirror_possible,
	.populate = hvx_mirror_populate,
	.collides = hvx_mirror_collides,
	.commit = hvx_mirror_commit,
	.stop = hvx_mirror_stop,
	.free = hvx_mirror_free,
};
