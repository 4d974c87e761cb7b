// SPDX-License-Identifier: GPL-2.0
/*
 * HPT resize: the state machine (PAPR ACR "Hash Page Table Resizing").
 *
 * A PREPARE makes a struct hvx_resize the VM's pending one and wakes the worker;
 * the same PREPARE again polls it. How it ends is in commit.c or end.c.
 *
 * There is one worker for a VM that prepares, it does one thing at a time, and waits
 * until what was discarded is free. So a VM never holds more than one new table,
 * however fast its VMM changes its mind, and with the harvest that the worker waits for,
 * one old one beside the current.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/slab.h>

#include "base/base.h"
#include "memory/memory.h"
#include "resize/knobs.h"
#include "resize/resize.h"

#define CREATE_TRACE_POINTS
#include "resize/trace.h"

/* How long a PREPARE tries to stop the vCPUs, and how long it lets them run. */
#define HVX_PREPARE_PATIENCE_MS	30000
#define HVX_PREPARE_PAUSE	msecs_to_jiffies(100)

/* Bytes that are cleared or copied in a millisecond, until one was measured. */
#define HVX_DEFAULT_RATE	BIT(20)

/*
 * What the guest is told to wait: PAPR has hints up to 100 s. On a host that is busy the
 * rate so far may be far too low, and Linux's own resizer gives up when the hints add up
 * to more than 10 s, as two of 10 s do. With hints of 1 s it has ten looks.
 */
#define HVX_MAX_ESTIMATE_MS	9999

/*
 * A queue runs so many works at a time for all VMs, so those that wait for each other
 * or for something of a VM's have different ones. The prepares: one waits for a harvest,
 * and for tables to be freed.
 */
struct workqueue_struct *hvx_wq;
/* The parts of a copy, which are waited for with the vCPUs stopped. */
struct workqueue_struct *hvx_copy_wq;

/*
 * While tables are made or replaced the guest's memory is to stay. That is a service,
 * no part of the resize needs it.
 */
static void hvx_resize_hold_memory(struct hvx_resize *rs)
{
	if (!hvx_throttle_may_hold(&rs->vm->resizer->throttle))
		return;
	/* The caller has begun to watch; mmap_lock is not for who holds the lock. */
	hvx_balloon_get_atomic(rs->vm, HVX_HOLDER_RESIZE);
	rs->holds_memory = true;
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

	ret = hvx_harvest_prepare(&rs->vm->resizer->harvest);
	if (ret)
		return ret;
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
	struct hvx_resizer *rz = rs->vm->resizer;
	int ret;

	if (rs->state == HVX_ALLOCATING) {
		ret = hvx_resize_alloc(rs);
		if (ret)
			return ret;
		trace_hvx_progress(rs->vm->kvm, rs->order, rs->progress.done,
				   rs->progress.total);
		if (!rs->strategy->populate)
			return 0;
		rs->patience = ktime_add_ms(ktime_get(),
					    HVX_PREPARE_PATIENCE_MS);
		mutex_lock(&rz->lock);
		rs->state = HVX_POPULATING;
		mutex_unlock(&rz->lock);
	}
	ret = rs->strategy->populate(rs);
	if (ret == -EAGAIN && ktime_after(ktime_get(), rs->patience))
		return -EBUSY;
	return ret;
}

/* What the worker has achieved; the lock is held. */
static void hvx_resize_prepared(struct hvx_resize *rs, int ret)
{
	struct hvx_resizer *rz = rs->vm->resizer;

	lockdep_assert_held(&rz->lock);
	rs->prepare_ns = ktime_to_ns(ktime_sub(ktime_get(), rs->started));
	trace_hvx_prepared(rs->vm->kvm, rs->order, ret, rs->prepare_ns);
	hvx_throttle_ended(&rz->throttle, ret);
	if (ret) {
		/* Nothing is kept but the error, for the next PREPARE. */
		rs->error = ret;
		rs->state = HVX_FAILED;
		hvx_resize_release_memory(rs);
	} else {
		rs->state = HVX_READY;
		hvx_resize_expires(rs);
	}
}

static void hvx_prepare_work(struct work_struct *work)
{
	struct hvx_resizer *rz = container_of(to_delayed_work(work),
					      struct hvx_resizer, prepare_work);
	struct hvx_resize *rs;
	bool cancelled;
	int ret;

	hvx_harvest_wait(&rz->harvest);
	flush_work(&rz->discard_work);

	mutex_lock(&rz->lock);
	rs = rz->pending;
	if (!rs || rs->state > HVX_POPULATING) {
		mutex_unlock(&rz->lock);
		return;
	}
	/* Another table has come to its end before the lock was free: once more. */
	if (hvx_harvest_busy(&rz->harvest) || work_busy(&rz->discard_work)) {
		queue_delayed_work(hvx_wq, &rz->prepare_work, 0);
		mutex_unlock(&rz->lock);
		return;
	}
	rs->busy = true;
	mutex_unlock(&rz->lock);

	ret = hvx_resize_fill(rs);
	if (ret && ret != -EAGAIN) {
		hvx_resize_stop(rs);
		hvx_resize_free_tables(rs);
	}

	mutex_lock(&rz->lock);
	rs->busy = false;
	cancelled = rz->pending != rs;
	if (cancelled)
		/* A successor has queued this work again. */
		hvx_resize_stop(rs);
	else if (ret == -EAGAIN)
		/* Not slept for here: the queue is there for all VMs. */
		queue_delayed_work(hvx_wq, &rz->prepare_work,
				   HVX_PREPARE_PAUSE);
	else
		hvx_resize_prepared(rs, ret);
	mutex_unlock(&rz->lock);
	if (cancelled)
		hvx_resize_free(rs);
}

/**
 * hvx_resize_valid() - whether the arguments of PREPARE or COMMIT make sense
 * @flags: none are defined
 * @order: log2 of a table's size in bytes, or 0
 *
 * Return: true if so.
 */
bool hvx_resize_valid(u64 flags, u64 order)
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
 * hvx_resize_current() - the pending resize, if it may be committed
 * @vm: the VM
 *
 * Context: may sleep; kvm->slots_lock and the resizer's lock are held, so what makes
 * it unfit comes before this, or after the COMMIT.
 * Return: the resize in any state, or NULL.
 */
struct hvx_resize *hvx_resize_current(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = vm->resizer;
	struct kvm *kvm = vm->kvm;

	lockdep_assert_held(&kvm->slots_lock);
	lockdep_assert_held(&rz->lock);
	if (hvx_resize_migrating(kvm))
		hvx_resize_cancel_locked(vm, HVX_CANCEL_MIGRATION);
	/* Begun while memslots were changing, and made for the old ones. */
	if (rz->pending && rz->pending->state == HVX_READY &&
	    rz->pending->rmaps->generation != kvm_memslots(kvm)->generation)
		hvx_resize_cancel_locked(vm, HVX_CANCEL_MEMSLOT);
	return rz->pending;
}

/* What the guest is told of the resize that is pending. */
static int hvx_resize_poll(struct hvx_vm *vm, struct hvx_resize *rs)
{
	int ret;

	switch (rs->state) {
	case HVX_FAILED:
		ret = rs->error;
		hvx_resize_cancel_locked(vm, HVX_CANCEL_GUEST);
		return ret;
	case HVX_READY:
		/* The guest can save itself the COMMIT, until an entry has gone. */
		if (rs->strategy->collides && rs->strategy->collides(rs))
			return -ENOSPC;
		return 0;
	default:
		return hvx_resize_estimate(rs);
	}
}

/* A resize begins. Return: as hvx_resize_prepare(). */
static int hvx_resize_begin(struct hvx_vm *vm, unsigned int order,
			    enum hvx_origin origin)
{
	struct hvx_resizer *rz = vm->resizer;
	struct hvx_resize *rs;

	hvx_throttle_begun(&rz->throttle);
	rs = hvx_fail_alloc() ? NULL : kzalloc(sizeof(*rs), GFP_KERNEL_ACCOUNT);
	if (!rs) {
		hvx_throttle_ended(&rz->throttle, -ENOMEM);
		return -ENOMEM;
	}
	rs->vm = vm;
	rs->started = ktime_get();
	hvx_resize_hold_memory(rs);
	rs->from = vm->kvm->arch.hpt.order;
	rs->strategy = hvx_strategy_for(vm, rs->from, order);
	rs->origin = origin;
	rs->order = order;
	rs->state = HVX_ALLOCATING;
	rs->progress.total = hvx_hpt_bytes(order);
	if (rs->strategy->populate)
		rs->progress.total += 1ULL << rs->from;
	WRITE_ONCE(rz->pending, rs);
	rz->stats.prepares++;
	trace_hvx_prepare(vm->kvm, rs->from, rs->order, origin);
	mod_delayed_work(hvx_wq, &rz->prepare_work, 0);
	return hvx_resize_estimate(rs);
}

static int hvx_resize_prepare_locked(struct hvx_vm *vm, unsigned int order,
				     enum hvx_origin origin)
{
	struct hvx_resizer *rz = vm->resizer;
	int ms;

	guard(mutex)(&rz->lock);
	/* Under the lock: a VM becomes radix while resizes are suspended. */
	if (kvm_is_radix(vm->kvm))
		return -EINVAL;
	/*
	 * Of a migration that begins after this look, COMMIT learns. It comes here as
	 * a change of memslots, which cancels, and is seen under kvm->slots_lock.
	 */
	if (order && hvx_resize_migrating(vm->kvm)) {
		hvx_resize_cancel_locked(vm, HVX_CANCEL_MIGRATION);
		return -EBUSY;
	}
	if (rz->pending && rz->pending->order == order)
		return hvx_resize_poll(vm, rz->pending);

	hvx_resize_cancel_locked(vm, HVX_CANCEL_GUEST);
	if (!order)
		return 0;
	if (rz->suspended)
		return -EBUSY;
	ms = min(hvx_throttle_wait_ms(&rz->throttle), HVX_MAX_ESTIMATE_MS);
	return ms ?: hvx_resize_begin(vm, order, origin);
}

/**
 * hvx_resize_prepare() - start a resize, or ask how it is getting on
 * @vm: the VM
 * @flags: none are defined, so 0
 * @order: log2 of the wanted table's size in bytes, or 0 to cancel
 * @origin: who asks
 *
 * While the VM may be on its way to another host, and while the table is being
 * replaced by a reset, nothing is started, what was under way is given up, and the
 * answer is -EBUSY: to come back later. It is no estimate, by which the guest could
 * not tell that nothing has begun: it would give up in the middle of a migration as
 * if the host were slow, and Linux's own resizer would wait ten seconds for nothing,
 * with CPU hotplug held off and deaf to signals, where H_BUSY has it leave at once.
 *
 * Context: may sleep.
 * Return: 0 when a table of this order is ready (or with @order 0), else the
 * milliseconds that it may still take, or that the VM has to wait before it begins
 * another; -EINVAL for bad parameters and radix guests, -ENOMEM, -ENOSPC if it is
 * ready but two bolted entries want one slot of it, -EBUSY if nothing can begin at
 * present or a vCPU could not be stopped.
 */
int hvx_resize_prepare(struct hvx_vm *vm, u64 flags, u64 order,
		       enum hvx_origin origin)
{
	int ret;

	if (!hvx_resize_valid(flags, order) || order > HVX_ORDER_MAX)
		return -EINVAL;

	if (order)
		hvx_watch_begin(vm);
	ret = hvx_resize_prepare_locked(vm, order, origin);
	/* What its guest has cancelled is free on return. */
	if (!order)
		flush_work(&vm->resizer->discard_work);
	return ret;
}

/**
 * hvx_resizer_init() - the resize state of a new VM
 * @rz: zeroed
 * @vm: the VM, its interception initialised
 */
void hvx_resizer_init(struct hvx_resizer *rz, struct hvx_vm *vm)
{
	rz->vm = vm;
	mutex_init(&rz->hpt_lock);
	mutex_init(&rz->lock);
	hvx_strategy_init(rz);
	INIT_DELAYED_WORK(&rz->prepare_work, hvx_prepare_work);
	hvx_resize_end_init(rz);
}

/**
 * hvx_resizer_destroy() - end whatever is under way for a VM that goes away
 * @vm: the VM
 *
 * Context: may sleep; nobody else uses the VM any more.
 */
void hvx_resizer_destroy(struct hvx_vm *vm)
{
	struct hvx_resizer *rz = vm->resizer;

	hvx_resize_cancel(vm, HVX_CANCEL_DESTROY);
	cancel_delayed_work_sync(&rz->prepare_work);
	hvx_resize_end_destroy(rz);
}

static struct workqueue_struct **const hvx_queues[] = {
	&hvx_wq, &hvx_copy_wq, &hvx_discard_wq,
};

/**
 * hvx_resize_init() - when the module is loaded
 *
 * Return: 0 or -ENOMEM.
 */
int __init hvx_resize_init(void)
{
	static const char *const names[ARRAY_SIZE(hvx_queues)] __initconst = {
		"prepare", "copy", "discard",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_queues); i++) {
		*hvx_queues[i] = alloc_workqueue("kvm-hv-ext-%s", WQ_UNBOUND, 0,
						 names[i]);
		if (!*hvx_queues[i]) {
			hvx_resize_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * hvx_resize_exit() - when the module is unloaded, and no VM is left
 */
void hvx_resize_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_queues) && *hvx_queues[i]; i++)
		destroy_workqueue(*hvx_queues[i]);
}
