// SPDX-License-Identifier: GPL-2.0
/*
 * COMMIT: the table that has been prepared becomes the VM's.
 *
 * It takes what nothing else of the VM may touch meanwhile: the gate, so that no vCPU
 * is in KVM, and all locks of those who look at the table. Of these some may be held
 * for long, by a thread that waits for memory of the VMM's. Nobody waits for one of
 * them with the gate closed: the attempt ends, the vCPUs run, and the next one
 * follows, for so long as a caller can be kept waiting.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>

#include "base/base.h"
#include "resize/resize.h"
#include "resize/trace.h"

/*
 * How long COMMIT tries. A Linux guest has all its CPUs in stop_machine() at that
 * time and QEMU holds its big lock, so it must end soon.
 */
#define HVX_COMMIT_PATIENCE	msecs_to_jiffies(500)
/* Between two attempts, at most: then the vCPUs have most of the time. */
#define HVX_COMMIT_PAUSE	msecs_to_jiffies(40)

static void hvx_commit_record(struct hvx_resizer *rz, struct hvx_resize *rs,
			      u64 commit_ns)
{
	rs->record = rz->nr_records++ % HVX_RECORDS;
	rz->records[rs->record] = (struct hvx_resize_record) {
		.from = rs->from,
		.to = rs->order,
		.strategy = rs->strategy->name,
		.origin = rs->origin,
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

/*
 * With the vCPUs out; the locks of hvx_commit_try() are held. mmu_setup_lock is not
 * waited for: who writes to an HTAB descriptor holds it while he reads what to write
 * from memory of the VMM's.
 */
static int hvx_commit_exchange(struct hvx_vm *vm, struct hvx_resize *rs)
{
	struct kvm *kvm = vm->kvm;
	int ret;

	if (!mutex_trylock(&kvm->arch.mmu_setup_lock))
		return -EAGAIN;
	on_each_cpu(hvx_ptesync, NULL, true);
	if (kvm_is_radix(kvm)) {
		ret = -EINVAL;
	} else if (!kvm->arch.hpt.virt) {
		/* No vCPU has run yet and nobody asked for a table. */
		ret = -EIO;
	} else {
		rs->from = kvm->arch.hpt.order;
		ret = rs->strategy->commit(rs);
		if (!ret) {
			hvx_switch(rs);
			if (rs->strategy->stop)
				rs->strategy->stop(rs);
			vm->resizer->committed = rs;
			hvx_harvest_begin(&vm->resizer->harvest, &rs->hpt,
					  !rs->strategy->rc_at_commit);
		}
	}
	mutex_unlock(&kvm->arch.mmu_setup_lock);
	return ret;
}

static int hvx_commit_ready(struct hvx_vm *vm, struct hvx_resize *rs,
			    unsigned long longest)
{
	struct hvx_resizer *rz = vm->resizer;
	ktime_t start = ktime_get();
	u64 commit_ns;
	int ret;

	lockdep_assert_held(&rz->hpt_lock);
	lockdep_assert_held(&vm->kvm->slots_lock);
	lockdep_assert_held(&rz->lock);
	ret = hvx_gate_close(&vm->gate, longest);
	if (ret)
		return ret;
	ret = hvx_commit_exchange(vm, rs);
	hvx_gate_open(&vm->gate);
	if (ret == -EAGAIN)
		return ret;

	commit_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	trace_hvx_commit(vm->kvm, rs->order, ret, commit_ns);
	if (ret) {
		rz->stats.commit_failures++;
		hvx_resize_cancel_locked(vm, HVX_CANCEL_COMMIT);
	} else {
		rz->stats.commits++;
		hvx_commit_record(rz, rs, commit_ns);
		/* Not kept for the harvest, which a busy guest can make long. */
		hvx_resize_release_memory(rs);
		WRITE_ONCE(rz->pending, NULL);
		hvx_harvest_start(&rz->harvest);
	}
	return ret;
}

/*
 * With the two locks that are held over memory of the VMM's, while a dirty log is copied
 * or a memslot looked at.
 *
 * If there is anything to commit, no table is left to be harvested: the worker has begun to
 * fill this one when there was none (hvx_prepare_work()), and only a COMMIT leaves one. So
 * nobody waits here for a harvest, which takes as long as it takes.
 */
static int hvx_commit_locked(struct hvx_vm *vm, u64 order, unsigned long longest)
{
	struct hvx_resizer *rz = vm->resizer;
	struct hvx_resize *rs;

	guard(mutex)(&rz->lock);
	rs = hvx_resize_current(vm);
	if (!rs || rs->order != order)
		return -ENXIO;
	if (rs->state == HVX_FAILED)
		return rs->error;
	if (rs->state != HVX_READY)
		return -EBUSY;
	return hvx_commit_ready(vm, rs, longest);
}

/* -EAGAIN: a vCPU or a lock could not be had at once, and all is as it was. */
static int hvx_commit_try(struct hvx_vm *vm, u64 order, unsigned long longest)
{
	struct hvx_resizer *rz = vm->resizer;
	struct kvm *kvm = vm->kvm;
	int ret = -EAGAIN;

	if (!mutex_trylock(&rz->hpt_lock))
		return ret;
	if (mutex_trylock(&kvm->slots_lock)) {
		ret = hvx_commit_locked(vm, order, longest);
		mutex_unlock(&kvm->slots_lock);
	}
	mutex_unlock(&rz->hpt_lock);
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
 * order has been prepared or it was cancelled, -EBUSY if it is not ready yet, or a
 * vCPU did not come out or a lock was not free in HVX_COMMIT_PATIENCE (what is
 * prepared stays), -ENOSPC if two bolted entries want one slot, -ENOMEM if the
 * PREPARE failed for that, -EIO if the VM has no table to start from, -EINTR.
 */
int hvx_resize_commit(struct hvx_vm *vm, u64 flags, u64 order)
{
	unsigned long end = jiffies + HVX_COMMIT_PATIENCE;
	unsigned long left = HVX_COMMIT_PATIENCE, pause = 1;
	int ret;

	if (!hvx_resize_valid(flags, order) || kvm_is_radix(vm->kvm))
		return -EINVAL;

	for (;;) {
		ret = hvx_commit_try(vm, order, left);
		if (ret != -EAGAIN)
			return ret;
		schedule_timeout_killable(pause);
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!time_before(jiffies, end))
			return -EBUSY;
		left = end - jiffies;
		pause = min(2 * pause, HVX_COMMIT_PAUSE);
	}
}
