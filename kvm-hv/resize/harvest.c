// SPDX-License-Identifier: GPL-2.0
/*
 * What is left to do when a VM has its new table: take the reference and change
 * bits out of the old one, then free it.
 *
 * No CPU translates through the old table any more, so its bits are final. A
 * change bit must reach the dirty log before that is read: hvx_harvest_wait() is
 * called first. Memslots and their bitmaps stay while a harvest is under way,
 * for an update waits for it too.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>

#include "base/base.h"
#include "resize/resize.h"
#include "resize/trace.h"

/* HPTEs between two looks at whether somebody else wants the CPU. */
#define HVX_HARVEST_CHUNK	4096

/*
 * The guest has just been stopped and has faults to take: it goes first. Unless
 * somebody waits, the harvest starts a little later and is content with what CPU
 * time is left over.
 */
#define HVX_HARVEST_DELAY_MS	20
#define HVX_HARVEST_NICE	15

static void hvx_harvest_dirty(struct kvm *kvm, u64 v, u64 gr)
{
	unsigned long size = 1UL << hpte_actual_shift(v, gr);
	unsigned long gfn = hpte_rpn(gr, size);
	struct kvm_memory_slot *slot = hvx_gfn_to_memslot(kvm, gfn);

	if (slot && slot->dirty_bitmap)
		kvmppc_update_dirty_map(slot, gfn, size);
}

/*
 * The guest's view of R and C in the new table, if the entry is still there.
 * The old HPTE is locked: the order is always old, then new.
 *
 * Return: whether it changed, or -EAGAIN if the lock is not to be had.
 */
static int hvx_harvest_guest_view(struct kvm *kvm, u64 new_index, u64 v,
				  u64 gr, u64 rc)
{
	struct revmap_entry *rev = &kvm->arch.hpt.rev[new_index];
	__be64 *hptep = hvx_hptep(&kvm->arch.hpt, new_index);
	int changed = false;

	if (!hpte_in_use(hvx_hpte_v(hptep)))
		return false;
	if (!hvx_hpte_trylock(hptep))
		return -EAGAIN;
	if (hpte_same_page(hvx_hpte_v(hptep), rev->guest_rpte, v, gr) &&
	    (rc & ~rev->guest_rpte)) {
		rev->guest_rpte |= rc;
		note_hpte_modification(kvm, rev);
		changed = true;
	}
	hvx_hpte_unlock(hptep);
	return changed;
}

/* Context: preemption disabled. Return: as hvx_harvest_guest_view(). */
static int hvx_harvest_try_one(struct hvx_resize *rs, u64 index)
{
	struct kvm *kvm = rs->vm->kvm;
	__be64 *hptep = hvx_hptep(&rs->hpt, index);
	u64 v, gr, hw = 0, rc, new_index;
	int changed = false;

	if (!hvx_hpte_trylock(hptep))
		return -EAGAIN;
	v = hvx_hpte_v(hptep);
	gr = rs->hpt.rev[index].guest_rpte;
	if (v & HPT_V_VALID)
		hw = hvx_read_be64(&hptep[1]) & HPT_R_RC;
	/* The host may have unmapped it earlier: then they are in guest_rpte. */
	rc = hw | (gr & HPT_R_RC);
	if (hpte_in_use(v) && (hw & HPT_R_C))
		hvx_harvest_dirty(kvm, v, gr);
	if (hpte_in_use(v) && rc && !rs->strategy->rc_at_commit) {
		new_index = hpte_rehash(v, gr, index, rs->hpt.order,
					kvm->arch.hpt.order);
		changed = hvx_harvest_guest_view(kvm, new_index, v, gr, rc);
	}
	/* Empty, so that it is done once; but not before it has been done. */
	if (changed < 0)
		hvx_hpte_unlock(hptep);
	else
		unlock_hpte(hptep, 0);
	return changed;
}

/*
 * Take the bits out of one entry of the old table. Once for each, whoever comes first:
 * the worker, or the vCPU whose hcall is about to look at the entry's successor.
 *
 * Context: may sleep; kvm->srcu is held for reading.
 * Return: true if the guest's view of the entry changed.
 */
static bool hvx_harvest_one(struct hvx_resize *rs, u64 index)
{
	const __be64 *hptep = hvx_hptep(&rs->hpt, index);
	int changed;

	if (!hpte_in_use(hvx_read_be64(&hptep[0])))
		return false;

	for (;;) {
		preempt_disable();
		changed = hvx_harvest_try_one(rs, index);
		preempt_enable();
		if (changed >= 0)
			return changed;
		hvx_hpte_back_off();
	}
}

/* What the guest is shown of an entry has the R and C that its predecessor has left. */
static void hvx_harvest_before(struct hvx_hook *hook, u64 index)
{
	struct hvx_resizer *rz = container_of(hook, struct hvx_resizer, harvest_hook);
	struct hvx_resize *rs = rz->harvest;
	const struct kvm_hpt_info *hpt = &rs->vm->kvm->arch.hpt;
	struct hvx_entry e;

	hvx_entry_read(hpt, index, &e);
	if (e.v)
		hvx_harvest_one(rs, hpte_rehash(e.v, e.gr, index, hpt->order,
						rs->hpt.order));
}

static const struct hvx_hook_ops hvx_harvest_hook_ops = {
	.hcalls = BIT(HVX_HPT_REMOVE) | BIT(HVX_HPT_BULK_REMOVE) |
		  BIT(HVX_HPT_PROTECT) | BIT(HVX_HPT_CLEAR_REF) |
		  BIT(HVX_HPT_CLEAR_MOD) | BIT(HVX_HPT_READ),
	.before = hvx_harvest_before,
};

/**
 * hvx_harvest_work() - go through the old table, then free it
 * @work: hvx_resizer.harvest_work
 *
 * Context: workqueue. The VM's table does not change meanwhile: whoever wants to
 * change it waits for this first.
 */
void hvx_harvest_work(struct work_struct *work)
{
	struct hvx_resizer *rz = container_of(to_delayed_work(work),
					      struct hvx_resizer, harvest_work);
	struct hvx_resize *rs = rz->harvest;
	struct kvm *kvm = rs->vm->kvm;
	u64 n = hpt_nr_hptes(rs->hpt.order);
	u64 i, end, v, found = 0, left = 0;
	int nice = task_nice(current);
	int idx;

	set_user_nice(current, max(nice, HVX_HARVEST_NICE));
	for (i = 0; i < n; ) {
		if (atomic_read(&rz->harvest_waiters) &&
		    task_nice(current) != nice)
			set_user_nice(current, nice);
		end = min_t(u64, i + HVX_HARVEST_CHUNK, n);
		idx = srcu_read_lock(&kvm->srcu);
		for (; i < end; i++) {
			v = hvx_read_be64(hvx_hptep(&rs->hpt, i));
			left += hpte_in_use(v) && !(v & HPT_V_BOLTED);
			found += hvx_harvest_one(rs, i);
		}
		srcu_read_unlock(&kvm->srcu, idx);
		hvx_relax();
	}

	/* The thread is the workqueue's. */
	set_user_nice(current, nice);

	trace_hvx_harvest(kvm, rs->hpt.order, found);
	if (rs->strategy->bolted_only)
		WRITE_ONCE(rz->records[rs->record].dropped, left);
	rz->stats.harvested += found;
	hvx_hook_remove(&rs->vm->intercept, &rz->harvest_hook);
	hvx_resize_free(rs);
	rz->harvest = NULL;
}

/**
 * hvx_harvest_begin() - from now on no hcall shows an entry that is to be harvested
 * @rs: the resize that is being committed; the VM has its new table
 *
 * Context: the gate is closed; the hpt_lock is held, and no harvest is under way.
 */
void hvx_harvest_begin(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = rs->vm->resizer;

	lockdep_assert_held(&rz->hpt_lock);
	rz->harvest = rs;
	if (!rs->strategy->rc_at_commit)
		hvx_hook_add(&rs->vm->intercept, &rz->harvest_hook,
			     &hvx_harvest_hook_ops);
}

/**
 * hvx_harvest_start() - have an old table harvested in the background
 * @rs: the resize that has been committed; freed by the harvest
 *
 * Context: the hpt_lock is held, after hvx_harvest_begin().
 */
void hvx_harvest_start(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = rs->vm->resizer;

	lockdep_assert_held(&rz->hpt_lock);
	queue_delayed_work(hvx_harvest_wq, &rz->harvest_work,
			   msecs_to_jiffies(HVX_HARVEST_DELAY_MS));
}

/**
 * hvx_harvest_wait() - wait until no old table is left
 * @vm: the VM
 *
 * Context: may sleep; the harvest takes none of the resizer's locks, so any may
 * be held.
 */
void hvx_harvest_wait(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = vm->resizer;

	atomic_inc(&rz->harvest_waiters);
	flush_delayed_work(&rz->harvest_work);
	atomic_dec(&rz->harvest_waiters);
}
