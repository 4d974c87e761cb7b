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
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "vm.h"

/* Less than this is not worth another thread: 4 MiB of table. */
#define HVX_COPY_PART_PTEGS	(1UL << 15)
#define HVX_COPY_MAX_PARTS	64

/* PTEGs between two looks at whether somebody else wants the CPU. */
#define HVX_COPY_CHUNK		4096

/* A range of the old table that one thread copies. */
struct hvx_copy_part {
	struct work_struct work;
	struct hvx_resize *rs;
	u64 first, end;		/* PTEGs */
	u64 kept;
	int ret;
};

static int hvx_copy_one(struct hvx_resize *rs, const struct kvm_hpt_info *old,
			u64 index)
{
	struct hvx_entry e;
	__be64 *new;
	u64 to;
	int ret = 0;

	preempt_disable();
	hvx_entry_read(old, index, &e);
	to = hpte_rehash(e.v, e.gr, index, old->order, rs->order);
	new = hvx_hptep(&rs->hpt, to);

	/*
	 * Only bolted entries are in the new table, so who is there already, or
	 * has the slot locked to get there, makes a collision.
	 */
	while (!try_lock_hpte(new, HPTE_V_HVLOCK | HPTE_V_VALID | HPTE_V_ABSENT)) {
		if (READ_ONCE(new[0])) {
			ret = -ENOSPC;
			goto out;
		}
		cpu_relax();
	}
	rs->hpt.rev[to].guest_rpte = e.gr;
	hvx_hpte_write(new, hpte_absent_v(e.v),
		       hpte_absent_r(e.v, e.gr, e.mmio));
out:
	preempt_enable();
	return ret;
}

/* Bolted entries of a PTEG as a mask of slots, found with one test if none. */
static unsigned int hvx_copy_bolted(const __be64 *pteg)
{
	const __be64 bolted = cpu_to_be64(HPT_V_BOLTED);
	unsigned int slot, mask = 0;

	if (!((READ_ONCE(pteg[0]) | READ_ONCE(pteg[2]) | READ_ONCE(pteg[4]) |
	       READ_ONCE(pteg[6]) | READ_ONCE(pteg[8]) | READ_ONCE(pteg[10]) |
	       READ_ONCE(pteg[12]) | READ_ONCE(pteg[14])) & bolted))
		return 0;

	for (slot = 0; slot < HPT_PTEG_SLOTS; slot++)
		if ((pteg[2 * slot] & bolted) &&
		    hpte_in_use(be64_to_cpu(pteg[2 * slot])))
			mask |= 1U << slot;
	return mask;
}

static int hvx_copy_range(struct hvx_copy_part *part)
{
	const struct kvm_hpt_info *old = &part->rs->vm->kvm->arch.hpt;
	unsigned int mask, slot;
	u64 pteg, index;
	int ret;

	for (pteg = part->first; pteg < part->end; pteg++) {
		if (!(pteg % HVX_COPY_CHUNK))
			cond_resched();
		index = pteg << HPT_PTEG_SHIFT;
		mask = hvx_copy_bolted(hvx_hptep(old, index));
		for (; mask; mask &= mask - 1) {
			slot = __ffs(mask);
			ret = hvx_copy_one(part->rs, old, index + slot);
			if (ret)
				return ret;
			part->kept++;
		}
	}
	return 0;
}

static void hvx_copy_work(struct work_struct *work)
{
	struct hvx_copy_part *part = container_of(work, struct hvx_copy_part,
						  work);

	part->ret = hvx_copy_range(part);
}

/* The caller's thread does the first part itself. */
static int hvx_copy_parts(struct hvx_resize *rs, struct hvx_copy_part *part,
			  unsigned int nr, u64 ptegs)
{
	unsigned int i;
	u64 kept = 0;
	int ret = 0;

	for (i = 0; i < nr; i++) {
		part[i].rs = rs;
		part[i].first = ptegs * i / nr;
		part[i].end = ptegs * (i + 1) / nr;
		if (i) {
			INIT_WORK(&part[i].work, hvx_copy_work);
			queue_work(system_unbound_wq, &part[i].work);
		}
	}
	part[0].ret = hvx_copy_range(&part[0]);

	for (i = 0; i < nr; i++) {
		if (i)
			flush_work(&part[i].work);
		kept += part[i].kept;
		if (part[i].ret)
			ret = part[i].ret;
	}
	atomic64_set(&rs->kept, kept);
	return ret;
}

static int hvx_copy_commit(struct hvx_resize *rs)
{
	u64 ptegs = hpt_pteg_mask(rs->vm->kvm->arch.hpt.order) + 1;
	struct hvx_copy_part *parts, alone = {};
	unsigned int nr;
	int ret;

	nr = min_t(u64, min(num_online_cpus(), HVX_COPY_MAX_PARTS),
		   ptegs / HVX_COPY_PART_PTEGS);
	parts = nr > 1 ? kcalloc(nr, sizeof(*parts), GFP_KERNEL) : NULL;
	if (!parts)
		return hvx_copy_parts(rs, &alone, 1, ptegs);

	ret = hvx_copy_parts(rs, parts, nr, ptegs);
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
