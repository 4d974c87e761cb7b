// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrored prepare: the one operation, "make slot j of the new table what it should be now",
 * by reading the old slots that j can come from. It is idempotent, so it does not matter how
 * often or by whom it is done: by the worker that walks the old table, or by the vCPU whose
 * hcall has changed one of those slots (intercept.c).
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

#include "resize/mirror.h"
#include "resize/warm.h"

/**
 * hvx_mirror_want() - what a slot of the new table should hold
 * @rs: the resize
 * @j: the slot, by its index
 * @want: filled in, with the old entry locked; for hvx_mirror_let_go()
 *
 * An old slot that is empty needs no lock: whoever is filling it brings it over
 * afterwards, and stock KVM never shows an entry that is in use as one that is not.
 *
 * Context: preemption disabled, kvm->srcu or the worker.
 * Return: false, with nothing locked, if an old slot's lock is not to be had.
 */
bool hvx_mirror_want(struct hvx_resize *rs, u64 j, struct hvx_wanted *want)
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

/**
 * hvx_mirror_lose() - count those that give way for what is in a slot of a smaller table
 * @rs: the resize
 * @j: the slot, by its index
 * @losers: how many, and HVX_MIRROR_COLLISION
 *
 * Context: the slot is locked, preemption disabled.
 */
void hvx_mirror_lose(struct hvx_resize *rs, u64 j, u8 losers)
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

/**
 * hvx_mirror_sync_slot() - make a slot of the new table what it should be now
 * @rs: the resize
 * @j: the slot, by its index
 *
 * Context: may sleep; inside the gate, or the worker.
 */
void hvx_mirror_sync_slot(struct hvx_resize *rs, u64 j)
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

/**
 * hvx_mirror_sync() - make the new table agree with a slot of the old one
 * @rs: the resize
 * @index: the slot, by its index in the old table
 *
 * Between the change of the old slot and the end of this the vCPU may be preempted or
 * sleep. The new slot is then out of date, but nobody uses it: COMMIT waits until
 * every vCPU has left the gate, so until this is done.
 *
 * Context: may sleep; inside the gate, or the worker.
 */
void hvx_mirror_sync(struct hvx_resize *rs, u64 index)
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
	 * left behind in the new one. Pairs with hvx_mirror_try_sync_slot().
	 */
	smp_mb();
	for (j = index; j < n; j += step)
		if (j == to || READ_ONCE(*hvx_hptep(&rs->hpt, j)))
			hvx_mirror_sync_slot(rs, j);
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

/**
 * hvx_mirror_removed() - after H_REMOVE or H_BULK_REMOVE: the short way
 * @rs: the resize
 * @index: of the old slot
 *
 * The old slot is empty, unless another vCPU has been quick. Of the new ones that its entry
 * can have been in, one is in use; or none, if the entry had not come over, or was gone
 * already.
 *
 * Context: may sleep; inside the gate.
 * Return: false if hvx_mirror_sync() is to do it.
 */
bool hvx_mirror_removed(struct hvx_resize *rs, u64 index)
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
