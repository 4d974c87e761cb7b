// SPDX-License-Identifier: GPL-2.0
/*
 * HPT resize: the state machine (PAPR ACR "Hash Page Table Resizing").
 *
 * A PREPARE makes a struct hvx_resize the VM's pending one and wakes the worker;
 * the same PREPARE again polls it. A cancel takes it out of "pending"; if the
 * worker has it at that moment the worker notices and frees it, otherwise the
 * canceller does. There is one worker for a VM and it does one thing at a time,
 * so a VM never holds more than one new table, however fast its VMM changes its
 * mind, and with the harvest it waits for, one old one beside the current.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "vm.h"
#include "trace.h"

static unsigned int commit_timeout_ms = 30000;
module_param(commit_timeout_ms, uint, 0644);
MODULE_PARM_DESC(commit_timeout_ms,
		 "Milliseconds that a prepared HPT waits for COMMIT before it is freed (0: for ever)");

/* Bytes that are cleared or copied in a millisecond, until one was measured. */
#define HVX_DEFAULT_RATE	BIT(20)

/* What the guest is told to wait: PAPR has hints up to 100 s. */
#define HVX_MAX_ESTIMATE_MS	100000

/*
 * Prepare, timeout and watch. A queue runs so many works at a time for all VMs, and
 * those of other VMs can be held up: a prepare waits for a harvest, and for
 * kvm->slots_lock, under which stock KVM touches the VMM's memory.
 */
struct workqueue_struct *hvx_wq;
/* So the harvests, which are waited for under locks, have one of their own. */
struct workqueue_struct *hvx_harvest_wq;

/* While tables are made or replaced the guest's memory is to stay. */
static void hvx_resize_hold_memory(struct hvx_resize *rs)
{
	hvx_balloon_hold(rs->vm, HVX_HOLDER_RESIZE);
	rs->holds_memory = true;
}

static void hvx_resize_release_memory(struct hvx_resize *rs)
{
	if (rs->holds_memory)
		hvx_balloon_let_go(rs->vm, HVX_HOLDER_RESIZE);
	rs->holds_memory = false;
}

/* Frees the tables that a resize holds, once nobody looks at them. */
static void hvx_resize_empty(struct hvx_resize *rs)
{
	if (rs->populated && rs->strategy->end)
		rs->strategy->end(rs);
	rs->populated = false;
	hvx_hpt_free(&rs->hpt);
	hvx_rmaps_free(rs->rmaps);
	rs->rmaps = NULL;
	hvx_resize_release_memory(rs);
}

/**
 * hvx_resize_free() - end a resize and free the tables it holds
 * @rs: the resize, not pending: given up, or committed and harvested
 *
 * Context: may sleep.
 */
void hvx_resize_free(struct hvx_resize *rs)
{
	hvx_resize_empty(rs);
	kfree(rs);
}

/* Takes the pending resize out; the lock is held. */
static void hvx_resize_drop(struct hvx_vm *vm, enum hvx_cancel why)
{
	struct hvx_resizer *rz = &vm->resizer;
	struct hvx_resize *rs = rz->pending;

	lockdep_assert_held(&rz->lock);
	if (!rs)
		return;
	rz->pending = NULL;
	if (rs->state != HVX_FAILED) {
		rz->stats.cancels[why]++;
		trace_hvx_cancel(vm->kvm, rs->order, why);
	}
	WRITE_ONCE(rs->progress.cancel, true);
	if (!rs->busy)
		hvx_resize_free(rs);
}

/**
 * hvx_resize_cancel() - give up the resize in flight, if there is one
 * @vm: the VM
 * @why: for the counters
 *
 * The guest learns of it when it says COMMIT. The memory is free on return, or
 * as soon as the worker looks up.
 *
 * Context: may sleep; kvm->slots_lock may be held.
 */
void hvx_resize_cancel(struct hvx_vm *vm, enum hvx_cancel why)
{
	mutex_lock(&vm->resizer.lock);
	hvx_resize_drop(vm, why);
	mutex_unlock(&vm->resizer.lock);
}

/**
 * hvx_resize_end() - cancel, and let none begin until hvx_resize_allow()
 * @vm: the VM
 * @why: for the counters
 *
 * On return the worker does not look at the present table, and a PREPARE that
 * comes before the table has been replaced does not wake it.
 *
 * Context: may sleep; the hpt_lock is held, kvm->slots_lock is not.
 */
void hvx_resize_end(struct hvx_vm *vm, enum hvx_cancel why)
{
	struct hvx_resizer *rz = &vm->resizer;

	lockdep_assert_held(&rz->hpt_lock);
	mutex_lock(&rz->lock);
	hvx_resize_drop(vm, why);
	rz->ended = true;
	mutex_unlock(&rz->lock);
	/* If it is queued only, others' works are not waited for. */
	cancel_work_sync(&rz->prepare_work);
}

/**
 * hvx_resize_allow() - a resize may begin again
 * @vm: the VM
 *
 * Context: may sleep; the hpt_lock is held.
 */
void hvx_resize_allow(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = &vm->resizer;

	lockdep_assert_held(&rz->hpt_lock);
	mutex_lock(&rz->lock);
	rz->ended = false;
	mutex_unlock(&rz->lock);
}

static void hvx_resize_timeout(struct work_struct *work)
{
	struct hvx_resizer *rz = container_of(to_delayed_work(work),
					      struct hvx_resizer, timeout_work);
	struct hvx_vm *vm = container_of(rz, struct hvx_vm, resizer);

	mutex_lock(&rz->lock);
	/* The timer may have been set for a predecessor. */
	if (rz->pending && rz->pending->state == HVX_READY &&
	    rz->pending->expires &&
	    time_after_eq(jiffies, rz->pending->deadline))
		hvx_resize_drop(vm, HVX_CANCEL_TIMEOUT);
	mutex_unlock(&rz->lock);
}

/* Milliseconds to go, at least 1, from how fast it went so far. */
static int hvx_resize_estimate(struct hvx_resize *rs)
{
	u64 total = READ_ONCE(rs->progress.total);
	u64 done = READ_ONCE(rs->progress.done);
	u64 ms = ktime_ms_delta(ktime_get(), rs->started);
	u64 left = total > done ? total - done : 0;

	if (done && ms)
		left = div64_u64(left, max(div64_u64(done, ms), 1ULL));
	else
		left = div_u64(left, HVX_DEFAULT_RATE);
	return clamp_t(u64, left, 1, HVX_MAX_ESTIMATE_MS);
}

static int hvx_resize_alloc(struct hvx_resize *rs)
{
	struct mem_cgroup *memcg, *old;
	int ret;

	memcg = hvx_charge_begin(rs->vm->kvm, &old);
	ret = hvx_hpt_alloc(&rs->hpt, rs->order, &rs->progress);
	if (!ret) {
		rs->rmaps = hvx_rmaps_alloc(rs->vm->kvm, &rs->progress);
		ret = PTR_ERR_OR_ZERO(rs->rmaps);
		if (ret)
			rs->rmaps = NULL;
	}
	hvx_charge_end(memcg, old);
	return ret;
}

static int hvx_resize_fill(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = &rs->vm->resizer;
	int ret;

	ret = hvx_resize_alloc(rs);
	if (ret)
		return ret;
	trace_hvx_progress(rs->vm->kvm, rs->order, rs->progress.done,
			   rs->progress.total);
	if (!rs->strategy->populate)
		return 0;

	mutex_lock(&rz->lock);
	rs->state = HVX_POPULATING;
	mutex_unlock(&rz->lock);
	rs->populated = true;
	return rs->strategy->populate(rs);
}

static void hvx_prepare_work(struct work_struct *work)
{
	struct hvx_resizer *rz = container_of(work, struct hvx_resizer,
					      prepare_work);
	struct hvx_vm *vm = container_of(rz, struct hvx_vm, resizer);
	unsigned int timeout_ms;
	struct hvx_resize *rs;
	int ret;

	hvx_harvest_wait(vm);

	mutex_lock(&rz->lock);
	rs = rz->pending;
	if (!rs || rs->state != HVX_ALLOCATING) {
		mutex_unlock(&rz->lock);
		return;
	}
	rs->busy = true;
	mutex_unlock(&rz->lock);

	ret = hvx_resize_fill(rs);

	mutex_lock(&rz->lock);
	rs->busy = false;
	rs->prepare_ns = ktime_to_ns(ktime_sub(ktime_get(), rs->started));
	trace_hvx_prepared(vm->kvm, rs->order, ret, rs->prepare_ns);
	if (rz->pending != rs) {
		/* Cancelled. A successor has queued this work again. */
		hvx_resize_free(rs);
	} else if (ret) {
		/* Nothing is kept but the error, for the next PREPARE. */
		rs->error = ret;
		rs->state = HVX_FAILED;
		hvx_resize_empty(rs);
	} else {
		rs->state = HVX_READY;
		timeout_ms = READ_ONCE(commit_timeout_ms);
		rs->expires = timeout_ms;
		rs->deadline = jiffies + msecs_to_jiffies(timeout_ms);
		if (rs->expires)
			mod_delayed_work(hvx_wq, &rz->timeout_work,
					 rs->deadline - jiffies);
	}
	mutex_unlock(&rz->lock);
}

static bool hvx_resize_valid(u64 flags, u64 order)
{
	if (flags)
		return false;
	return !order || (order >= HPT_ORDER_MIN && order <= HPT_ORDER_MAX);
}

/*
 * Whether the VM may be on its way to another host. QEMU writes the order of the
 * HPT into the migration stream at the very beginning, and opens the HTAB
 * descriptor when it comes to the table; the destination takes a table of another
 * order for a broken stream. What it does before all else is to log which pages
 * of RAM are written, and an HPT guest's RAM begins at address 0.
 */
static bool hvx_resize_migrating(struct kvm *kvm)
{
	struct kvm_memory_slot *ram;
	bool migrating;
	int idx;

	if (atomic_read(&kvm->arch.hpte_mod_interest))
		return true;
	idx = srcu_read_lock(&kvm->srcu);
	ram = __gfn_to_memslot(kvm_memslots(kvm), 0);
	migrating = ram && ram->flags & KVM_MEM_LOG_DIRTY_PAGES;
	srcu_read_unlock(&kvm->srcu, idx);
	return migrating;
}

/**
 * hvx_resize_prepare() - start a resize, or ask how it is getting on
 * @vm: the VM
 * @flags: none are defined, so 0
 * @order: log2 of the wanted table's size in bytes, or 0 to cancel
 * @road: who asks
 *
 * While the VM may be on its way to another host, and while the table is being
 * replaced by a reset, nothing is started, what was under way is given up, and the
 * answer is to come back later.
 *
 * Context: may sleep.
 * Return: 0 when a table of this order is ready (or with @order 0), else the
 * milliseconds that it may still take, or -EINVAL for bad parameters and
 * radix guests, -ENOMEM, -EBUSY if a vCPU could not be stopped.
 */
int hvx_resize_prepare(struct hvx_vm *vm, u64 flags, u64 order,
		       enum hvx_road road)
{
	struct hvx_resizer *rz = &vm->resizer;
	struct hvx_resize *rs;
	int ret = 0;

	if (!hvx_resize_valid(flags, order))
		return -EINVAL;

	mutex_lock(&rz->lock);
	/* Under the lock: a VM becomes radix between hvx_resize_end() and _allow(). */
	if (kvm_is_radix(vm->kvm)) {
		ret = -EINVAL;
		goto out;
	}
	/*
	 * Of a migration that begins after this look, COMMIT learns. It comes here as
	 * a change of memslots, which cancels, and is seen under kvm->slots_lock.
	 */
	if (order && hvx_resize_migrating(vm->kvm)) {
		hvx_resize_drop(vm, HVX_CANCEL_MIGRATION);
		ret = MSEC_PER_SEC;
		goto out;
	}
	rs = rz->pending;
	if (rs && rs->order == order) {
		if (rs->state == HVX_FAILED) {
			ret = rs->error;
			hvx_resize_drop(vm, HVX_CANCEL_GUEST);
		} else if (rs->state != HVX_READY) {
			ret = hvx_resize_estimate(rs);
		}
		goto out;
	}

	hvx_resize_drop(vm, HVX_CANCEL_GUEST);
	if (!order)
		goto out;

	if (rz->ended) {
		ret = MSEC_PER_SEC;
		goto out;
	}

	rs = hvx_fail_alloc() ? NULL : kzalloc(sizeof(*rs), GFP_KERNEL_ACCOUNT);
	if (!rs) {
		ret = -ENOMEM;
		goto out;
	}
	rs->vm = vm;
	hvx_resize_hold_memory(rs);
	rs->from = vm->kvm->arch.hpt.order;
	rs->strategy = hvx_strategy_for(vm, rs->from, order);
	rs->road = road;
	rs->order = order;
	rs->state = HVX_ALLOCATING;
	rs->progress.total = hvx_hpt_bytes(order);
	if (rs->strategy->populate)
		rs->progress.total += 1ULL << rs->from;
	rs->started = ktime_get();
	rz->pending = rs;
	rz->stats.prepares++;
	trace_hvx_prepare(vm->kvm, rs->from, rs->order, road);
	ret = hvx_resize_estimate(rs);
	queue_work(hvx_wq, &rz->prepare_work);
out:
	mutex_unlock(&rz->lock);
	return ret;
}

static void hvx_resize_record(struct hvx_resizer *rz, struct hvx_resize *rs,
			      u64 commit_ns)
{
	rs->record = rz->nr_records++ % HVX_RECORDS;
	rz->records[rs->record] = (struct hvx_resize_record) {
		.from = rs->from,
		.to = rs->order,
		.strategy = rs->strategy->name,
		.road = rs->road,
		.prepare_ns = rs->prepare_ns,
		.commit_ns = commit_ns,
		.kept = atomic64_read(&rs->kept),
		.dropped = atomic64_read(&rs->dropped),
	};
}

/*
 * R and C are written by the hardware, at its leisure. A ptesync on each CPU that
 * may have run the guest brings out what it still has to write.
 */
static void hvx_ptesync(void *unused)
{
	asm volatile("ptesync" : : : "memory");
}

/* With the vCPUs out; the locks of hvx_resize_commit() are held. */
static int hvx_resize_exchange(struct hvx_vm *vm, struct hvx_resize *rs)
{
	struct kvm *kvm = vm->kvm;
	int ret;

	on_each_cpu(hvx_ptesync, NULL, true);
	mutex_lock(&kvm->arch.mmu_setup_lock);
	if (kvm_is_radix(kvm)) {
		ret = -EINVAL;
	} else if (!kvm->arch.hpt.virt) {
		/* No vCPU has run yet and nobody asked for a table. */
		ret = -EIO;
	} else {
		rs->from = kvm->arch.hpt.order;
		ret = rs->strategy->commit(rs);
		if (!ret)
			hvx_switch(kvm, &rs->hpt, rs->rmaps);
	}
	mutex_unlock(&kvm->arch.mmu_setup_lock);
	return ret;
}

/**
 * hvx_resize_commit() - switch to the table that has been prepared
 * @vm: the VM
 * @flags: none are defined, so 0
 * @order: log2 of its size in bytes
 *
 * Context: may sleep. The caller is not inside the gate.
 * Return: 0 with the guest on the new table; otherwise it is still on the old
 * one: -EINVAL for bad parameters and radix guests, -ENXIO if no table of this
 * order has been prepared or it was cancelled, -EBUSY if it is not ready yet,
 * -ENOSPC if two bolted entries want one slot, -ENOMEM if the PREPARE failed
 * for that, -EIO if the VM has no table to start from, -EINTR.
 */
int hvx_resize_commit(struct hvx_vm *vm, u64 flags, u64 order)
{
	struct hvx_resizer *rz = &vm->resizer;
	struct kvm *kvm = vm->kvm;
	struct hvx_resize *rs;
	ktime_t start;
	u64 commit_ns;
	int ret;

	if (!hvx_resize_valid(flags, order) || kvm_is_radix(kvm))
		return -EINVAL;

	mutex_lock(&rz->hpt_lock);
	hvx_harvest_wait(vm);
	mutex_lock(&kvm->slots_lock);
	mutex_lock(&rz->lock);

	ret = -ENXIO;
	if (hvx_resize_migrating(kvm))
		hvx_resize_drop(vm, HVX_CANCEL_MIGRATION);
	rs = rz->pending;
	if (!rs || rs->order != order)
		goto out;
	ret = rs->state == HVX_FAILED ? rs->error : -EBUSY;
	if (rs->state != HVX_READY)
		goto out;

	rs->state = HVX_COMMITTING;
	start = ktime_get();
	ret = hvx_gate_close(&vm->gate);
	if (ret) {
		rs->state = HVX_READY;
		goto out;
	}
	ret = hvx_resize_exchange(vm, rs);
	hvx_gate_open(&vm->gate);
	commit_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	trace_hvx_commit(kvm, rs->order, ret, commit_ns);

	if (ret) {
		rz->stats.commit_failures++;
		hvx_resize_drop(vm, HVX_CANCEL_COMMIT);
	} else {
		rz->stats.commits++;
		hvx_resize_record(rz, rs, commit_ns);
		rz->pending = NULL;
		hvx_harvest_start(rs);
	}
out:
	mutex_unlock(&rz->lock);
	mutex_unlock(&kvm->slots_lock);
	mutex_unlock(&rz->hpt_lock);
	return ret;
}

/**
 * hvx_resizer_init() - the resize state of a new VM
 * @rz: zeroed
 */
void hvx_resizer_init(struct hvx_resizer *rz)
{
	mutex_init(&rz->hpt_lock);
	mutex_init(&rz->lock);
	spin_lock_init(&rz->routed_lock);
	hvx_strategy_init(rz);
	INIT_WORK(&rz->prepare_work, hvx_prepare_work);
	INIT_DELAYED_WORK(&rz->timeout_work, hvx_resize_timeout);
	INIT_DELAYED_WORK(&rz->harvest_work, hvx_harvest_work);
}

/**
 * hvx_resizer_destroy() - end whatever is under way for a VM that goes away
 * @vm: the VM
 *
 * Context: may sleep; nobody else uses the VM any more.
 */
void hvx_resizer_destroy(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = &vm->resizer;

	hvx_resize_cancel(vm, HVX_CANCEL_DESTROY);
	cancel_work_sync(&rz->prepare_work);
	cancel_delayed_work_sync(&rz->timeout_work);
	hvx_harvest_wait(vm);
}

/**
 * hvx_resize_init() - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int hvx_resize_init(void)
{
	hvx_wq = alloc_workqueue("kvm-hv-ext", WQ_UNBOUND, 0);
	if (!hvx_wq)
		return -ENOMEM;
	hvx_harvest_wq = alloc_workqueue("kvm-hv-ext-harvest", WQ_UNBOUND, 0);
	if (!hvx_harvest_wq) {
		destroy_workqueue(hvx_wq);
		return -ENOMEM;
	}
	return 0;
}

/**
 * hvx_resize_exit() - when the module is unloaded, and no VM is left
 */
void hvx_resize_exit(void)
{
	destroy_workqueue(hvx_wq);
	destroy_workqueue(hvx_harvest_wq);
}
