// SPDX-License-Identifier: GPL-2.0
/*
 * What is left to do when a VM has its new table: take the reference and change
 * bits out of the old one.
 *
 * No CPU translates through the old table any more, so its bits are final. A
 * change bit must reach the dirty log before that is read: hvx_harvest_wait() is
 * called first. Memslots and their bitmaps stay while a harvest is under way,
 * for an update waits for it too.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "base/base.h"
#include "resize/harvest.h"
#include "resize/hpt.h"
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
static int hvx_harvest_try_one(struct hvx_harvest *hv, u64 index)
{
	const struct kvm_hpt_info *old = hv->old;
	__be64 *hptep = hvx_hptep(old, index);
	struct kvm *kvm = hv->kvm;
	u64 v, gr, hw = 0, rc, new_index;
	int changed = false;

	if (!hvx_hpte_trylock(hptep))
		return -EAGAIN;
	v = hvx_hpte_v(hptep);
	gr = old->rev[index].guest_rpte;
	if (v & HPT_V_VALID)
		hw = hvx_read_be64(&hptep[1]) & HPT_R_RC;
	/* The host may have unmapped it earlier: then they are in guest_rpte. */
	rc = hw | (gr & HPT_R_RC);
	if (hpte_in_use(v) && (hw & HPT_R_C))
		hvx_harvest_dirty(kvm, v, gr);
	if (hpte_in_use(v) && rc && hv->guest_view) {
		new_index = hpte_rehash(v, gr, index, old->order,
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
 * the thread, or the vCPU whose hcall is about to look at the entry's successor.
 *
 * Context: may sleep; kvm->srcu is held for reading.
 * Return: true if the guest's view of the entry changed.
 */
static bool hvx_harvest_one(struct hvx_harvest *hv, u64 index)
{
	const __be64 *hptep = hvx_hptep(hv->old, index);
	int changed;

	if (!hpte_in_use(hvx_read_be64(&hptep[0])))
		return false;

	for (;;) {
		preempt_disable();
		changed = hvx_harvest_try_one(hv, index);
		preempt_enable();
		if (changed >= 0)
			return changed;
		hvx_hpte_back_off();
	}
}

/* What the guest is shown of an entry has the R and C that its predecessor has left. */
static void hvx_harvest_before(struct hvx_hook *hook, u64 index)
{
	struct hvx_harvest *hv = container_of(hook, struct hvx_harvest, hook);
	const struct kvm_hpt_info *hpt = &hv->kvm->arch.hpt;
	struct hvx_entry e;

	hvx_entry_read(hpt, index, &e);
	if (e.v)
		hvx_harvest_one(hv, hpte_rehash(e.v, e.gr, index, hpt->order,
						hv->old->order));
}

static const struct hvx_hook_ops hvx_harvest_hook_ops = {
	.hcalls = BIT(HVX_HPT_REMOVE) | BIT(HVX_HPT_BULK_REMOVE) |
		  BIT(HVX_HPT_PROTECT) | BIT(HVX_HPT_CLEAR_REF) |
		  BIT(HVX_HPT_CLEAR_MOD) | BIT(HVX_HPT_READ),
	.before = hvx_harvest_before,
};

/*
 * With what CPU time is left over, unless somebody waits. Who begins to wait gives the
 * thread his own pace at once, for on a busy host a chunk can take long without.
 */
static void hvx_harvest_pace(struct hvx_harvest *hv)
{
	set_user_nice(current, atomic_read(&hv->waiters) ? 0 : HVX_HARVEST_NICE);
	/* First the pace, then the look at who waits. Pairs with hvx_harvest_hurry(). */
	smp_mb();
	if (atomic_read(&hv->waiters))
		set_user_nice(current, 0);
}

/* The caller is among those who wait. */
static void hvx_harvest_hurry(struct hvx_harvest *hv)
{
	/* First who waits, then the pace. Pairs with hvx_harvest_pace(). */
	smp_mb__after_atomic();
	set_user_nice(hv->thread, 0);
}

/*
 * The VM's table does not change meanwhile: whoever wants to change it waits for this
 * first.
 */
static void hvx_harvest_table(struct hvx_harvest *hv)
{
	const struct kvm_hpt_info *old = hv->old;
	u64 n = hpt_nr_hptes(old->order);
	u64 i, end, v, found = 0, left = 0;
	int idx;

	for (i = 0; i < n; ) {
		hvx_harvest_pace(hv);
		end = min_t(u64, i + HVX_HARVEST_CHUNK, n);
		idx = srcu_read_lock(&hv->kvm->srcu);
		for (; i < end; i++) {
			v = hvx_read_be64(hvx_hptep(old, i));
			left += hpte_in_use(v) && !(v & HPT_V_BOLTED);
			found += hvx_harvest_one(hv, i);
		}
		srcu_read_unlock(&hv->kvm->srcu, idx);
		hvx_relax();
	}
	trace_hvx_harvest(hv->kvm, old->order, found);

	if (hv->guest_view) {
		hvx_hook_remove(hv->intercept, &hv->hook);
		hvx_hook_wait(hv->intercept);
	}
	hv->done(hv, found, left);

	WRITE_ONCE(hv->started, false);
	/* All of the above is seen by who has waited. Pairs with hvx_harvest_wait(). */
	smp_store_release(&hv->old, NULL);
	wake_up_all(&hv->wait);
}

static int hvx_harvest_thread(void *data)
{
	struct hvx_harvest *hv = data;

	for (;;) {
		wait_event_idle(hv->wait,
				READ_ONCE(hv->started) || kthread_should_stop());
		if (!READ_ONCE(hv->started))
			return 0;
		hvx_harvest_table(hv);
	}
}

static void hvx_harvest_due(struct work_struct *work)
{
	struct hvx_harvest *hv = container_of(to_delayed_work(work),
					      struct hvx_harvest, start_work);

	WRITE_ONCE(hv->started, true);
	wake_up_all(&hv->wait);
}

/**
 * hvx_harvest_init() - nothing is to be harvested of a new VM
 * @hv: zeroed
 * @kvm: the VM
 * @intercept: the VM's
 * @done: called when a table has been harvested
 */
void hvx_harvest_init(struct hvx_harvest *hv, struct kvm *kvm,
		      struct hvx_intercept *intercept,
		      void (*done)(struct hvx_harvest *hv, u64 found, u64 left))
{
	hv->kvm = kvm;
	hv->intercept = intercept;
	hv->done = done;
	init_waitqueue_head(&hv->wait);
	INIT_DELAYED_WORK(&hv->start_work, hvx_harvest_due);
}

/**
 * hvx_harvest_prepare() - make sure that there is a thread for it
 * @hv: the VM's
 *
 * A harvest is waited for under locks, and runs at a priority of its own. So each VM
 * that resizes its table has a thread, from then on.
 *
 * Context: may sleep; not called twice at a time.
 * Return: 0 or -ENOMEM.
 */
int hvx_harvest_prepare(struct hvx_harvest *hv)
{
	struct task_struct *thread;

	if (hv->thread)
		return 0;
	thread = kthread_run(hvx_harvest_thread, hv, "hpt-harvest/%llu",
			     (u64)hv->kvm->arch.lpid);
	if (IS_ERR(thread))
		return -ENOMEM;
	hv->thread = thread;
	return 0;
}

/**
 * hvx_harvest_begin() - from now on no hcall shows an entry that is to be harvested
 * @hv: the VM's, prepared
 * @old: the table that has just been replaced; stays until done() is called
 * @guest_view: the entries of the VM's table lack R and C that the old ones have
 *
 * Context: the gate is closed, no harvest is under way.
 */
void hvx_harvest_begin(struct hvx_harvest *hv, const struct kvm_hpt_info *old,
		       bool guest_view)
{
	hv->guest_view = guest_view;
	/* There is a thread, and then something for it. Pairs with hvx_harvest_wait(). */
	smp_store_release(&hv->old, old);
	if (guest_view)
		hvx_hook_add(hv->intercept, &hv->hook, &hvx_harvest_hook_ops);
}

/**
 * hvx_harvest_start() - have the old table harvested in the background
 * @hv: the VM's, after hvx_harvest_begin()
 *
 * The thread is not woken yet: it would run at once, before the vCPUs.
 *
 * Context: any.
 */
void hvx_harvest_start(struct hvx_harvest *hv)
{
	schedule_delayed_work(&hv->start_work,
			      msecs_to_jiffies(HVX_HARVEST_DELAY_MS));
}

/**
 * hvx_harvest_wait() - wait until no table is left to be harvested
 * @hv: the VM's
 *
 * Context: may sleep; the harvest takes none of the resizer's locks, so any may
 * be held.
 */
void hvx_harvest_wait(struct hvx_harvest *hv)
{
	if (!hvx_harvest_busy(hv))
		return;
	atomic_inc(&hv->waiters);
	hvx_harvest_hurry(hv);
	/* At once, if it has not begun yet. */
	flush_delayed_work(&hv->start_work);
	wait_event(hv->wait, !hvx_harvest_busy(hv));
	atomic_dec(&hv->waiters);
}

/**
 * hvx_harvest_destroy() - end the thread, when there is nothing left to harvest
 * @hv: the VM's
 *
 * Context: may sleep; nobody else uses the VM any more.
 */
void hvx_harvest_destroy(struct hvx_harvest *hv)
{
	/* It may still be waking the thread that has finished since. */
	cancel_delayed_work_sync(&hv->start_work);
	if (hv->thread)
		kthread_stop(hv->thread);
	hv->thread = NULL;
}
