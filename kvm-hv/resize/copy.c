// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-at-commit: PREPARE makes an empty table, COMMIT carries the bolted
 * entries over while the vCPUs are stopped.
 *
 * The guest's pause is one reading of the old table, so that is all that is done
 * to it: a PTEG without a bolted entry costs eight loads, nothing is unmapped, and
 * with more than one CPU each takes a part. Entries that are not bolted stay
 * behind; the guest enters them again when it misses them. The harvest picks up
 * what the hardware noted in them.
 */
#include <linux/cpumask.h>
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "resize/resize.h"

/* Less than this is not worth another thread: 4 MiB of table. */
#define HVX_COPY_PART_PTEGS	BIT(15)
#define HVX_COPY_MAX_PARTS	64

#define HVX_PTEG_WORDS		(2 * HPT_PTEG_SLOTS)

/* PTEGs between two looks at whether somebody else wants the CPU. */
#define HVX_COPY_CHUNK		4096

/*
 * What one thread copies: a range of PTEGs, and when shrinking the ranges that
 * fold onto the same PTEGs of the new table. So no two threads write to one slot.
 */
struct hvx_copy_part {
	struct kvm_hpt_info old, new;
	struct hpt_fold fold;
	u64 first, end;		/* PTEGs of the smaller table */
	u64 kept;
	int ret;
};

static __always_inline int hvx_copy_put(const struct hvx_copy_part *part,
					u64 index, u64 v, u64 gr, bool mmio)
{
	u64 to = hpte_refold(v, gr, index, part->fold);
	__be64 *new = hvx_hptep(&part->new, to);

	/* The new table holds bolted entries only, so this slot is taken by one. */
	if (new[0])
		return -ENOSPC;

	part->new.rev[to].guest_rpte = gr;
	hvx_hpte_write(new, hpte_absent_v(v), hpte_absent_r(v, gr, mmio));
	return 0;
}

static noinline int hvx_copy_locked(const struct hvx_copy_part *part, u64 index)
{
	struct hvx_entry e;

	hvx_entry_read(&part->old, index, &e);
	return hvx_copy_put(part, index, e.v, e.gr, e.mmio);
}

/*
 * With the vCPUs out, only the host can touch an entry, to unmap or to age its
 * page, and that goes on. It locks the HPTE, and what can change of what we want
 * is R and C: they move to guest_rpte. An entry whose guest_rpte has them both
 * has nothing to lose, nor has one that is absent, so most need no lock.
 */
static noinline int hvx_copy_one(const struct hvx_copy_part *part, u64 index)
{
	const __be64 *hptep = hvx_hptep(&part->old, index);
	u64 v = hvx_hpte_v(hptep);
	bool mmio = false;
	u64 gr;

	/*
	 * Who made the entry absent moved R and C before unlocking it. Pairs with
	 * the barriers in unlock_hpte(), and in unlock_rmap() before __unlock_hpte().
	 */
	smp_rmb();
	gr = READ_ONCE(part->old.rev[index].guest_rpte);

	if (unlikely(v & HPT_V_HVLOCK))
		return hvx_copy_locked(part, index);
	if (!(v & HPT_V_VALID))
		mmio = hpte_is_mmio(v, hvx_read_be64(&hptep[1]));
	else if (unlikely((gr & HPT_R_RC) != HPT_R_RC))
		return hvx_copy_locked(part, index);

	return hvx_copy_put(part, index, v, gr, mmio);
}

static inline bool hvx_copy_any_bolted(const __be64 *pteg)
{
	const __be64 *v = pteg;

	return (v[0] | v[2] | v[4] | v[6] | v[8] | v[10] | v[12] | v[14]) &
	       cpu_to_be64(HPT_V_BOLTED);
}

static inline bool hvx_copy_bolted(__be64 v)
{
	return (v & cpu_to_be64(HPT_V_BOLTED)) &&
	       (v & cpu_to_be64(HPT_V_VALID | HPT_V_ABSENT));
}

/* From one PTEG with a bolted entry to the next. */
static inline const __be64 *hvx_copy_next(const __be64 *pteg,
					  const __be64 *last)
{
	for (; pteg < last; pteg += HVX_PTEG_WORDS)
		if (unlikely(hvx_copy_any_bolted(pteg)))
			break;
	return pteg;
}

static int hvx_copy_ptegs(struct hvx_copy_part *part, u64 first, u64 end)
{
	const __be64 *pteg = hvx_hptep(&part->old, first << HPT_PTEG_SHIFT);
	const __be64 *last = hvx_hptep(&part->old, end << HPT_PTEG_SHIFT);
	const __be64 *pause;
	unsigned int slot;
	u64 index;
	int ret;

	while (pteg < last) {
		pause = min(last, pteg + HVX_COPY_CHUNK * HVX_PTEG_WORDS);
		while ((pteg = hvx_copy_next(pteg, pause)) < pause) {
			index = ((unsigned long)pteg - part->old.virt) >>
				HPT_HPTE_SHIFT;
#pragma GCC unroll 8
			for (slot = 0; slot < HPT_PTEG_SLOTS; slot++) {
				if (likely(!hvx_copy_bolted(pteg[2 * slot])))
					continue;
				ret = hvx_copy_one(part, index + slot);
				if (ret)
					return ret;
				part->kept++;
			}
			pteg += HVX_PTEG_WORDS;
		}
		hvx_relax();
	}
	return 0;
}

/* By itself, as its loop wants all the registers: 2 % of the guest's pause. */
static noinline int hvx_copy_part(struct hvx_copy_part *part)
{
	u64 n = hpt_pteg_mask(part->old.order) + 1;
	u64 step = min(n, hpt_pteg_mask(part->new.order) + 1);
	u64 base;
	int ret = 0;

	for (base = 0; base < n && !ret; base += step)
		ret = hvx_copy_ptegs(part, base + part->first,
				     base + part->end);
	return ret;
}

/*
 * The parts of one copy, and who takes them: the thread that waits for the end, and
 * as many workers as come in time. A worker that has not begun is not waited for, so
 * that a queue that is busy with others costs the guest nothing.
 */
struct hvx_copy {
	struct hvx_copy_part *part;
	unsigned int nr;
	atomic_t next;
};

struct hvx_copy_worker {
	struct work_struct work;
	struct hvx_copy *copy;
};

static void hvx_copy_take_parts(struct hvx_copy *copy)
{
	struct hvx_copy_part *part;
	unsigned int i;

	while ((i = atomic_fetch_inc(&copy->next)) < copy->nr) {
		part = &copy->part[i];
		part->ret = hvx_copy_part(part);
	}
}

static void hvx_copy_work(struct work_struct *work)
{
	struct hvx_copy_worker *worker =
		container_of(work, struct hvx_copy_worker, work);

	hvx_copy_take_parts(worker->copy);
}

static void hvx_copy_run(struct hvx_copy *copy, struct hvx_copy_worker *worker,
			 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		worker[i].copy = copy;
		INIT_WORK(&worker[i].work, hvx_copy_work);
		queue_work(hvx_copy_wq, &worker[i].work);
	}
	hvx_copy_take_parts(copy);
	for (i = 0; i < nr; i++)
		cancel_work_sync(&worker[i].work);
}

static int hvx_copy_parts(struct hvx_resize *rs, struct hvx_copy *copy,
			  struct hvx_copy_worker *worker, u64 ptegs)
{
	struct hvx_copy_part *part = copy->part;
	unsigned int i;
	u64 kept = 0;
	int ret = 0;

	for (i = 0; i < copy->nr; i++) {
		part[i].old = rs->vm->kvm->arch.hpt;
		part[i].new = rs->hpt;
		part[i].fold = hpt_fold(part[i].old.order, rs->order);
		part[i].first = ptegs * i / copy->nr;
		part[i].end = ptegs * (i + 1) / copy->nr;
	}
	hvx_copy_run(copy, worker, copy->nr - 1);

	for (i = 0; i < copy->nr; i++) {
		kept += part[i].kept;
		if (part[i].ret)
			ret = part[i].ret;
	}
	atomic64_set(&rs->kept, kept);
	return ret;
}

static int hvx_copy_commit(struct hvx_resize *rs)
{
	unsigned int from = rs->vm->kvm->arch.hpt.order;
	u64 ptegs = hpt_pteg_mask(min(from, rs->order)) + 1;
	struct hvx_copy_part alone = {}, *parts = NULL;
	struct hvx_copy_worker *workers = NULL;
	struct hvx_copy copy = { .part = &alone, .nr = 1 };
	unsigned int nr;
	int ret;

	nr = min_t(u64, min(num_online_cpus(), HVX_COPY_MAX_PARTS),
		   (hpt_pteg_mask(from) + 1) / HVX_COPY_PART_PTEGS);
	/* The vCPUs are stopped: rather do it alone than wait for memory. */
	if (nr > 1) {
		parts = kcalloc(nr, sizeof(*parts), GFP_NOWAIT | __GFP_NOWARN);
		workers = kcalloc(nr - 1, sizeof(*workers),
				  GFP_NOWAIT | __GFP_NOWARN);
	}
	if (parts && workers) {
		copy.part = parts;
		copy.nr = nr;
	}
	ret = hvx_copy_parts(rs, &copy, workers, ptegs);
	kfree(workers);
	kfree(parts);
	return ret;
}

const struct hvx_strategy hvx_copy_strategy = {
	.name = "copy",
	.id = KVM_PPC_HPT_RESIZE_COPY,
	.rc_at_commit = true,
	.bolted_only = true,
	.commit = hvx_copy_commit,
};
