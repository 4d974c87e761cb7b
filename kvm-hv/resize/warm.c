// SPDX-License-Identifier: GPL-2.0
/*
 * Warm tables: the entries of a mirrored table are valid before it is the VM's, so
 * that the guest takes no fault for them after COMMIT.
 *
 * O is the table that the VM has, N the new one. An entry that is valid in O is valid
 * in N, with the same host page, and stands in N's reverse maps exactly as stock KVM
 * would have it there: from COMMIT on they are stock KVM's. The other way round does
 * not hold: an entry may be valid in O and absent in N, which costs a fault later.
 *
 * What must never be is an entry of N whose page the host has taken away. Who makes an
 * entry of N valid (mirror_slot.c) holds, from before he sees that O's is valid until N's is
 * linked,
 *
 *	1. the lock bit of N's entry,
 *	2. the lock bit of O's entry,
 *	3. for the linking itself, the lock bit of the reverse map in N.
 *
 * The host takes pages away by MMU notifiers: unmap, migration, copy on write, KSM,
 * NUMA balancing, swap, collapse and split of huge pages, any change of protection. All
 * come as unmap_gfn_range(), under kvm->mmu_lock. There stock KVM unmaps O first, and for
 * that it takes the lock bit of each entry of O that maps the page. Then
 * hvx_warm_unmap() unmaps N, through N's reverse maps. So
 *
 *  - if stock KVM has O's entry first, whoever comes later sees it absent, and makes
 *    N's absent. It does not become valid again before the notifier is over: stock
 *    KVM asks mmu_invalidate_retry() under the reverse map's lock.
 *  - if we have it first, the link is there before O's entry is unmapped, and
 *    hvx_warm_unmap(), which comes after that, finds it.
 *  - if an hcall has just taken the entry out of O, stock KVM finds nothing there to
 *    unmap. The link in N was made before that hcall, so hvx_warm_unmap() finds it.
 *
 * What else changes an entry of O:
 *
 *  - H_ENTER, H_REMOVE, H_BULK_REMOVE, H_PROTECT, H_CLEAR_MOD and H_CLEAR_REF come to
 *    mirror_slot.c, which brings N's entry in step. Until then N's may map what the guest
 *    has removed, or more than the guest allows now; but no CPU translates through N,
 *    and COMMIT waits for the hcall.
 *  - A page fault makes an absent entry valid, or a read-only one writable. N's stays as
 *    it is, with less than the guest may have. It never exchanges one page for another:
 *    in between the host took the old one away, and the entry is absent.
 *  - Ageing and the dirty log take R and C out of it. In N both are clear: so a write
 *    after COMMIT sets C, whatever was logged before, and the harvest brings those
 *    of O.
 *  - set_spte_gfn(), on 6.1, comes between the start and the end of an invalidation of
 *    the same page, whose start was an unmap_gfn_range().
 *  - flush_memslot() unmaps a memslot that is to go, or to move, whether or not it then
 *    does. It ends the resize, as any change of memslots and whatever empties or
 *    replaces O; COMMIT is kept away by kvm->slots_lock.
 *
 * At COMMIT, both tables and their reverse maps change places in one critical section
 * of mmu_lock. A notifier that comes before has unmapped both; one that comes after
 * finds N as stock KVM's. No CPU has used N before, so that no TLB needs to be told of
 * what changes in it, and those of the CPUs are flushed at COMMIT.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>

#include "base/base.h"
#include "resize/warm.h"

static bool warm = true;
module_param(warm, bool, 0644);
MODULE_PARM_DESC(warm,
		 "Whether a mirrored HPT has its entries present before COMMIT, so that the guest takes no faults after it");

/**
 * hvx_warm_wanted() - whether a resize that begins makes its table warm
 *
 * Return: the parameter.
 */
bool hvx_warm_wanted(void)
{
	return READ_ONCE(warm);
}

/**
 * hvx_warm_begin() - have the host's changes follow into the new table
 * @rs: the resize, whose new table has no valid entry yet
 *
 * Context: the worker; may sleep.
 */
void hvx_warm_begin(struct hvx_resize *rs)
{
	struct kvm *kvm = rs->vm->kvm;

	spin_lock(&kvm->mmu_lock);
	rs->vm->resizer->warm = rs;
	spin_unlock(&kvm->mmu_lock);
}

/**
 * hvx_warm_end() - the opposite; on return no notifier looks at the resize
 * @rs: the resize
 *
 * After COMMIT there is nothing to do, hvx_switch() has done it.
 *
 * Context: may sleep.
 */
void hvx_warm_end(struct hvx_resize *rs)
{
	struct kvm *kvm = rs->vm->kvm;

	spin_lock(&kvm->mmu_lock);
	if (rs->vm->resizer->warm == rs)
		rs->vm->resizer->warm = NULL;
	spin_unlock(&kvm->mmu_lock);
}

static unsigned long *hvx_warm_rmap(struct hvx_resize *rs, gfn_t gfn)
{
	struct hvx_rmap *slot = hvx_rmaps_find(rs->rmaps, gfn);

	return slot ? &slot->rmap[gfn - slot->base_gfn] : NULL;
}

/* The reverse map is locked. A ring without a head, as stock KVM keeps it. */
static void hvx_warm_insert(struct revmap_entry *rev, unsigned long *rmap, u64 j)
{
	u64 head;

	if (*rmap & KVMPPC_RMAP_PRESENT) {
		head = *rmap & KVMPPC_RMAP_INDEX;
		rev[j].forw = head;
		rev[j].back = rev[head].back;
		rev[rev[head].back].forw = j;
		rev[head].back = j;
	} else {
		rev[j].forw = j;
		rev[j].back = j;
		*rmap = (*rmap & ~KVMPPC_RMAP_INDEX) | j | KVMPPC_RMAP_PRESENT |
			KVMPPC_RMAP_HPT;
	}
}

/* The reverse map is locked. */
static void hvx_warm_remove(struct revmap_entry *rev, unsigned long *rmap, u64 j)
{
	u64 next = rev[j].forw;

	if (next == j) {
		*rmap &= ~(KVMPPC_RMAP_PRESENT | KVMPPC_RMAP_INDEX);
		return;
	}
	rev[next].back = rev[j].back;
	rev[rev[j].back].forw = next;
	if ((*rmap & KVMPPC_RMAP_INDEX) == j)
		*rmap = (*rmap & ~KVMPPC_RMAP_INDEX) | next;
}

/**
 * hvx_warm_link() - put an entry of the new table into its reverse map
 * @rs: the resize
 * @j: index in the new table
 * @v: first doubleword that the entry is going to have
 * @gr: the guest's view of the second
 *
 * Context: preemption disabled; the entry is locked, and so is the valid one of the
 * old table that it comes from.
 * Return: false if there is no memslot for it, so that it cannot be valid: one that
 * has come lately, and is about to end the resize.
 */
bool hvx_warm_link(struct hvx_resize *rs, u64 j, u64 v, u64 gr)
{
	unsigned long *rmap = hvx_warm_rmap(rs, hvx_warm_gfn(v, gr));

	if (!rmap)
		return false;
	/* The chain: against hvx_warm_unmap(), and entries of the same page. */
	lock_rmap(rmap);
	hvx_warm_insert(rs->hpt.rev, rmap, j);
	unlock_rmap(rmap);
	return true;
}

/**
 * hvx_warm_unlink() - take an entry of the new table out of its reverse map
 * @rs: the resize
 * @j: index in the new table
 * @v: first doubleword as it is
 * @gr: the guest's view of the second, as it was when the entry was linked
 *
 * Context: preemption disabled; the entry is locked, and valid.
 */
void hvx_warm_unlink(struct hvx_resize *rs, u64 j, u64 v, u64 gr)
{
	unsigned long *rmap = hvx_warm_rmap(rs, hvx_warm_gfn(v, gr));

	/* It was there when the entry was linked, and stays as long as the resize. */
	if (!rmap)
		return;
	lock_rmap(rmap);
	hvx_warm_remove(rs->hpt.rev, rmap, j);
	unlock_rmap(rmap);
}

/*
 * The order is entry, then reverse map. Here it is the other way round, so the
 * entry's lock is only tried; its holder may be waiting for ours. He has preemption
 * off, and is not one of stock KVM's: nobody else knows this table. So he is soon done.
 */
static void hvx_warm_unmap_page(struct hvx_resize *rs, unsigned long *rmap)
{
	__be64 *hptep;
	u64 j, v, gr;

	for (;;) {
		lock_rmap(rmap);
		if (!(*rmap & KVMPPC_RMAP_PRESENT)) {
			unlock_rmap(rmap);
			return;
		}
		j = *rmap & KVMPPC_RMAP_INDEX;
		hptep = hvx_hptep(&rs->hpt, j);
		if (!try_lock_hpte(hptep, HPTE_V_HVLOCK)) {
			unlock_rmap(rmap);
			while (hvx_read_be64(hptep) & HPT_V_HVLOCK)
				cpu_relax();
			continue;
		}
		hvx_warm_remove(rs->hpt.rev, rmap, j);
		unlock_rmap(rmap);

		v = hvx_hpte_v(hptep);
		gr = rs->hpt.rev[j].guest_rpte;
		hvx_hpte_write(hptep, hpte_absent_v(v),
			       hpte_absent_r(v, gr, false));
	}
}

/**
 * hvx_warm_unmap() - the host takes pages away that the old table has lost already
 * @vm: the VM
 * @start: first guest page
 * @end: the one after the last
 *
 * Each reverse map is locked, also to look whether there is anything in it: who has
 * linked an entry has unlocked the reverse map before, and we see it.
 *
 * Context: kvm->mmu_lock is held, so preemption is off.
 */
void hvx_warm_unmap(struct hvx_vm *vm, gfn_t start, gfn_t end)
{
	struct hvx_resize *rs = vm->resizer->warm;
	struct hvx_rmap *slot;
	gfn_t gfn;

	lockdep_assert_held(&vm->kvm->mmu_lock);
	if (!rs)
		return;
	slot = hvx_rmaps_find(rs->rmaps, start);
	/* A memslot that came after PREPARE: none of its pages is in the table. */
	if (!slot)
		return;
	end = min(end, slot->base_gfn + slot->npages);
	for (gfn = start; gfn < end; gfn++)
		hvx_warm_unmap_page(rs, &slot->rmap[gfn - slot->base_gfn]);
}

/**
 * hvx_warm_linked() - whether an entry of the new table stands in its reverse map
 * @rs: the resize
 * @j: index of a valid entry
 *
 * Once and no more, if hvx_warm_chains_right().
 *
 * Context: the gate is closed, kvm->mmu_lock is held.
 * Return: false if not.
 */
bool hvx_warm_linked(struct hvx_resize *rs, u64 j)
{
	const struct revmap_entry *rev = rs->hpt.rev;
	u64 v = hvx_hpte_v(hvx_hptep(&rs->hpt, j));
	unsigned long *rmap = hvx_warm_rmap(rs, hvx_warm_gfn(v, rev[j].guest_rpte));
	u64 i, left = hpt_nr_hptes(rs->order);

	if (!rmap || !(*rmap & KVMPPC_RMAP_PRESENT))
		return false;
	for (i = *rmap & KVMPPC_RMAP_INDEX; i != j; i = rev[i].forw)
		if (i >= hpt_nr_hptes(rs->order) || !left--)
			return false;
	return true;
}

/* Of one page: all in it are valid entries of the page, and it is a ring. */
static bool hvx_warm_chain_right(struct hvx_resize *rs, unsigned long rmap, gfn_t gfn)
{
	u64 n = hpt_nr_hptes(rs->order), head = rmap & KVMPPC_RMAP_INDEX;
	const struct revmap_entry *rev = rs->hpt.rev;
	u64 v, i = head;

	if (!(rmap & KVMPPC_RMAP_PRESENT))
		return !rmap || rmap == KVMPPC_RMAP_HPT;
	if (rmap != (head | KVMPPC_RMAP_PRESENT | KVMPPC_RMAP_HPT))
		return false;
	/* With each link back right, no way leads anywhere but to where it began. */
	do {
		if (i >= n)
			return false;
		v = hvx_hpte_v(hvx_hptep(&rs->hpt, i));
		if (!(v & HPT_V_VALID) || (v & (HPT_V_ABSENT | HPT_V_HVLOCK)) ||
		    hvx_warm_gfn(v, rev[i].guest_rpte) != gfn ||
		    rev[i].forw >= n || rev[rev[i].forw].back != i)
			return false;
		i = rev[i].forw;
	} while (i != head);
	return true;
}

/**
 * hvx_warm_chains_right() - whether all reverse maps of the new table are whole
 * @rs: the resize
 *
 * Slow, for tests.
 *
 * Context: may sleep; the gate is closed.
 * Return: false if not, with the first that is wrong in the log.
 */
bool hvx_warm_chains_right(struct hvx_resize *rs)
{
	struct kvm *kvm = rs->vm->kvm;
	struct hvx_rmap *slot;
	unsigned long i;
	bool right;

	for (slot = rs->rmaps->slot; slot < rs->rmaps->slot + rs->rmaps->nr; slot++) {
		for (i = 0; i < slot->npages; i++) {
			spin_lock(&kvm->mmu_lock);
			right = hvx_warm_chain_right(rs, slot->rmap[i],
						     slot->base_gfn + i);
			spin_unlock(&kvm->mmu_lock);
			if (!right) {
				pr_err_ratelimited("verify: lpid %llu order %u -> %u: reverse map of guest page %llx: %lx\n",
						   (u64)kvm->arch.lpid, rs->from,
						   rs->order, slot->base_gfn + i,
						   slot->rmap[i]);
				return false;
			}
		}
	}
	return true;
}
