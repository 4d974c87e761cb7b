// SPDX-License-Identifier: GPL-2.0
/*
 * HPT resize: the ways in which one comes to an end, or its tables do.
 *
 *  cancel	the pending resize is given up. If the worker has it at that moment, the
 *		worker notices and frees it;
 *  suspend	cancel, and none may begin until resume, for the table is replaced;
 *  expire	cancel, as COMMIT has not come in time;
 *  discard	the tables of a resize are to be freed, by a worker: that takes long, and
 *		who finds that they are not needed any more holds locks. So it is with those
 *		of a resize that was given up, and with the old ones after a harvest;
 *  free	they are.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "base/base.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "resize/trace.h"

static unsigned int commit_timeout_ms = 30000;
module_param(commit_timeout_ms, uint, 0644);
MODULE_PARM_DESC(commit_timeout_ms,
		 "Milliseconds that a prepared HPT waits for COMMIT before it is freed (0: for ever)");

/* What frees memory that nobody asks for any more waits for no other VM's work. */
struct workqueue_struct *hvx_discard_wq;

/**
 * hvx_resize_release_memory() - the guest's memory need not stay any more
 * @rs: the resize
 *
 * Context: the resizer's lock is held.
 */
void hvx_resize_release_memory(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = rs->vm->resizer;

	if (!rs->holds_memory)
		return;
	hvx_throttle_held(&rz->throttle, rs->started);
	hvx_balloon_put(rs->vm, HVX_HOLDER_RESIZE);
	rs->holds_memory = false;
}

/**
 * hvx_resize_stop() - no hcall is followed up for a resize any more
 * @rs: the resize
 *
 * Context: may sleep; called by who has the resize.
 */
void hvx_resize_stop(struct hvx_resize *rs)
{
	if (rs->strategy->stop)
		rs->strategy->stop(rs);
}

/**
 * hvx_resize_free_tables() - free the tables that a resize holds
 * @rs: the resize, stopped
 *
 * Nobody else knows of them any more, but that vCPUs may still be in what the strategy
 * has stopped.
 *
 * Context: may sleep.
 */
void hvx_resize_free_tables(struct hvx_resize *rs)
{
	if (rs->hpt.virt)
		hvx_hook_wait(&rs->vm->intercept);
	if (rs->strategy->free)
		rs->strategy->free(rs);
	hvx_hpt_free(&rs->hpt);
	hvx_rmaps_free(rs->rmaps);
	rs->rmaps = NULL;
}

/**
 * hvx_resize_free() - free a resize, with its tables
 * @rs: the resize, stopped; nobody else knows of it any more
 *
 * Context: may sleep.
 */
void hvx_resize_free(struct hvx_resize *rs)
{
	hvx_resize_free_tables(rs);
	kfree(rs);
}

static void hvx_discard_work(struct work_struct *work)
{
	struct hvx_resizer *rz = container_of(work, struct hvx_resizer,
					      discard_work);
	struct llist_node *list = llist_del_all(&rz->discarded);
	struct hvx_resize *rs, *next;

	llist_for_each_entry_safe(rs, next, list, node)
		hvx_resize_free(rs);
}

/* Have a resize freed that nobody else knows of. Context: any. */
static void hvx_resize_discard(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = rs->vm->resizer;

	llist_add(&rs->node, &rz->discarded);
	queue_work(hvx_discard_wq, &rz->discard_work);
}

/**
 * hvx_resize_cancel_locked() - give up the resize in flight, if there is one
 * @vm: the VM
 * @why: for the counters
 *
 * The guest learns of it when it says COMMIT.
 *
 * Context: may sleep; the resizer's lock is held.
 */
void hvx_resize_cancel_locked(struct hvx_vm *vm, enum hvx_cancel why)
{
	struct hvx_resizer *rz = vm->resizer;
	struct hvx_resize *rs = rz->pending;

	lockdep_assert_held(&rz->lock);
	if (!rs)
		return;
	WRITE_ONCE(rz->pending, NULL);
	if (rs->state != HVX_FAILED) {
		rz->stats.cancels[why]++;
		trace_hvx_cancel(vm->kvm, rs->order, why);
	}
	hvx_resize_release_memory(rs);
	WRITE_ONCE(rs->progress.cancel, true);
	if (rs->busy)
		return;
	hvx_resize_stop(rs);
	if (rs->hpt.virt)
		hvx_resize_discard(rs);
	else
		hvx_resize_free(rs);
}

/**
 * hvx_resize_cancel() - likewise, without the lock
 * @vm: the VM
 * @why: for the counters
 *
 * Context: may sleep; kvm->slots_lock may be held.
 */
void hvx_resize_cancel(struct hvx_vm *vm, enum hvx_cancel why)
{
	guard(mutex)(&vm->resizer->lock);
	hvx_resize_cancel_locked(vm, why);
}

/**
 * hvx_resize_suspend() - cancel, and let none begin until hvx_resize_resume()
 * @vm: the VM
 * @why: for the counters
 *
 * On return the worker does not look at the present table, a PREPARE that comes before
 * the table has been replaced does not wake it, and no memory is held for a resize.
 *
 * Context: may sleep; the hpt_lock is held, kvm->slots_lock is not.
 */
void hvx_resize_suspend(struct hvx_vm *vm, enum hvx_cancel why)
{
	struct hvx_resizer *rz = vm->resizer;

	lockdep_assert_held(&rz->hpt_lock);
	mutex_lock(&rz->lock);
	hvx_resize_cancel_locked(vm, why);
	rz->suspended = true;
	mutex_unlock(&rz->lock);
	/* If it is queued only, others' works are not waited for. */
	cancel_delayed_work_sync(&rz->prepare_work);
	flush_work(&rz->discard_work);
}

/**
 * hvx_resize_resume() - a resize may begin again
 * @vm: the VM
 *
 * Context: may sleep; the hpt_lock is held.
 */
void hvx_resize_resume(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = vm->resizer;

	lockdep_assert_held(&rz->hpt_lock);
	guard(mutex)(&rz->lock);
	rz->suspended = false;
}

/* The harvest has done with a table. Context: the harvest's thread. */
static void hvx_resize_harvested(struct hvx_harvest *hv, u64 found, u64 left)
{
	struct hvx_resizer *rz = container_of(hv, struct hvx_resizer, harvest);
	struct hvx_resize *rs = rz->committed;

	if (rs->strategy->bolted_only)
		WRITE_ONCE(rz->records[rs->record].dropped, left);
	rz->stats.harvested += found;
	rz->committed = NULL;
	hvx_resize_discard(rs);
}

static void hvx_resize_timeout(struct work_struct *work)
{
	struct hvx_resizer *rz = container_of(to_delayed_work(work),
					      struct hvx_resizer, timeout_work);
	struct hvx_vm *vm = rz->vm;

	guard(mutex)(&rz->lock);
	/* The timer may have been set for a predecessor. */
	if (rz->pending && rz->pending->state == HVX_READY &&
	    time_after_eq(jiffies, rz->pending->deadline))
		hvx_resize_cancel_locked(vm, HVX_CANCEL_TIMEOUT);
}

/**
 * hvx_resize_expires() - a resize that is ready is given up if COMMIT does not come
 * @rs: the resize
 *
 * Context: the resizer's lock is held.
 */
void hvx_resize_expires(struct hvx_resize *rs)
{
	unsigned int timeout_ms = READ_ONCE(commit_timeout_ms);
	unsigned long left = timeout_ms ? msecs_to_jiffies(timeout_ms) : MAX_JIFFY_OFFSET;
	struct hvx_resizer *rz = rs->vm->resizer;

	lockdep_assert_held(&rz->lock);
	rs->deadline = jiffies + left;
	mod_delayed_work(hvx_discard_wq, &rz->timeout_work, left);
}

/**
 * hvx_resize_end_init() - what ends the resizes of a new VM
 * @rz: the VM's, zeroed but for its locks
 */
void hvx_resize_end_init(struct hvx_resizer *rz)
{
	struct hvx_vm *vm = rz->vm;

	INIT_DELAYED_WORK(&rz->timeout_work, hvx_resize_timeout);
	INIT_WORK(&rz->discard_work, hvx_discard_work);
	init_llist_head(&rz->discarded);
	hvx_harvest_init(&rz->harvest, vm->kvm, &vm->intercept, hvx_resize_harvested);
}

/**
 * hvx_resize_end_destroy() - wait until all that has come to its end is free
 * @rz: the VM's; nothing is pending, nor with the worker that prepares
 *
 * Context: may sleep; nobody else uses the VM any more.
 */
void hvx_resize_end_destroy(struct hvx_resizer *rz)
{
	cancel_delayed_work_sync(&rz->timeout_work);
	hvx_harvest_wait(&rz->harvest);
	hvx_harvest_destroy(&rz->harvest);
	flush_work(&rz->discard_work);
}
