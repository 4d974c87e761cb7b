// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrored prepare: from PREPARE on, the new table follows the old one, so that
 * COMMIT has nothing left to do but switch.
 *
 * Two follow the old table: the worker, which walks through it once (mirror_walk.c), and
 * each vCPU whose hcall changes it, from the beginning of that walk until COMMIT. Both do the
 * same (mirror_slot.c).
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "resize/knobs.h"
#include "resize/trace.h"
#include "resize/mirror.h"
#include "resize/warm.h"

/*
 * An hcall looks at 2^k slots. Beyond this many orders at a time COMMIT copies,
 * so that a guest cannot make its hcalls arbitrarily long.
 */
#define HVX_MIRROR_MAX_ORDERS	6

/* HPTEs between two trace events. */
#define HVX_MIRROR_TRACE	BIT(20)

/* The worker comes again soon, and the vCPUs run in between. */
#define HVX_MIRROR_LONGEST	msecs_to_jiffies(40)

static bool hvx_mirror_possible(struct kvm *kvm, unsigned int from,
				unsigned int to)
{
	unsigned int k = from > to ? from - to : to - from;

	/*
	 * The entries of the VRMA are made without an hcall when the first vCPU
	 * runs; mmu_ready says that it has.
	 */
	return from && READ_ONCE(kvm->arch.mmu_ready) &&
	       k <= HVX_MIRROR_MAX_ORDERS;
}

/* Through a table, in pieces. */
static int hvx_mirror_pass(struct hvx_resize *rs, unsigned int order, u64 before,
			   u64 (*chunk)(struct hvx_resize *rs, u64 i, u64 end))
{
	u64 i, n = hpt_nr_hptes(order);

	for (i = 0; i < n; i += HVX_MIRROR_CHUNK) {
		if (READ_ONCE(rs->progress.cancel))
			return -ECANCELED;
		WRITE_ONCE(rs->progress.done, min(before + (i << HPT_HPTE_SHIFT),
						  rs->progress.total));
		if (!(i % HVX_MIRROR_TRACE))
			trace_hvx_progress(rs->vm->kvm, rs->order,
					   rs->progress.done,
					   rs->progress.total);
		atomic64_add(chunk(rs, i, i + HVX_MIRROR_CHUNK), &rs->kept);
		hvx_relax();
	}
	return 0;
}

static void hvx_mirror_after(struct hvx_hook *hook, enum hvx_hpt_hcall hcall,
			     u64 index)
{
	struct hvx_resize *rs = container_of(hook, struct hvx_mirror, hook)->rs;

	if (hcall == HVX_HPT_ENTER && hvx_mirror_entered(rs, index))
		return;
	if ((hcall == HVX_HPT_REMOVE || hcall == HVX_HPT_BULK_REMOVE) &&
	    hvx_mirror_removed(rs, index))
		return;
	hvx_mirror_sync(rs, index);
}

static const struct hvx_hook_ops hvx_mirror_hook_ops = {
	.hcalls = BIT(HVX_HPT_ENTER) | BIT(HVX_HPT_REMOVE) |
		  BIT(HVX_HPT_BULK_REMOVE) | BIT(HVX_HPT_PROTECT) |
		  BIT(HVX_HPT_CLEAR_REF) | BIT(HVX_HPT_CLEAR_MOD),
	.after = hvx_mirror_after,
};

/*
 * From here on each hcall that changes the old table is followed up, and what the
 * host does to it.
 */
static int hvx_mirror_begin(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = rs->vm->resizer;
	int ret = -ECANCELED;

	mutex_lock(&rz->lock);
	if (rz->pending == rs)
		ret = hvx_gate_close(&rs->vm->gate, HVX_MIRROR_LONGEST);
	if (!ret) {
		if (hvx_mirror_of(rs)->warm)
			hvx_warm_begin(rs);
		hvx_hook_add(&rs->vm->intercept, &hvx_mirror_of(rs)->hook,
			     &hvx_mirror_hook_ops);
		hvx_gate_open(&rs->vm->gate);
	}
	mutex_unlock(&rz->lock);
	return ret;
}

static struct hvx_mirror *hvx_mirror_alloc(struct hvx_resize *rs)
{
	struct mem_cgroup *memcg, *old;
	struct hvx_mirror *mirror;

	memcg = hvx_charge_begin(rs->vm->kvm, &old);
	mirror = hvx_fail_alloc() ? NULL : kzalloc(sizeof(*mirror), HVX_GFP);
	if (mirror && rs->order < rs->from) {
		mirror->losers = hvx_fail_alloc() ? NULL :
			__vmalloc(hpt_nr_hptes(rs->order), HVX_GFP | __GFP_ZERO);
		if (!mirror->losers) {
			kfree(mirror);
			mirror = NULL;
		}
	}
	hvx_charge_end(memcg, old);
	return mirror;
}

/*
 * What is empty in the old table is empty in the new one too, unless an hcall
 * has filled both in the meantime.
 */
static int hvx_mirror_populate(struct hvx_resize *rs)
{
	u64 before = hvx_hpt_bytes(rs->order);
	struct hvx_mirror *mirror = rs->data;
	int ret;

	if (!mirror) {
		mirror = hvx_mirror_alloc(rs);
		if (!mirror)
			return -ENOMEM;
		mirror->rs = rs;
		mirror->warm = hvx_warm_wanted();
		rs->data = mirror;
	}
	ret = hvx_mirror_begin(rs);
	if (!ret)
		ret = hvx_mirror_pass(rs, rs->from, before,
				      hvx_mirror_walk_chunk);
	if (!ret && mirror->warm)
		ret = hvx_mirror_pass(rs, rs->order, before + (1ULL << rs->from),
				      hvx_mirror_warm_chunk);
	if (!ret)
		WRITE_ONCE(rs->progress.done, rs->progress.total);
	return ret;
}

static bool hvx_mirror_collides(struct hvx_resize *rs)
{
	return atomic64_read(&hvx_mirror_of(rs)->collisions);
}

static int hvx_mirror_commit(struct hvx_resize *rs)
{
	int ret = 0;

	if (hvx_mirror_collides(rs))
		return -ENOSPC;
	if (hvx_verify())
		ret = hvx_mirror_verify(rs);
	return ret;
}

static void hvx_mirror_stop(struct hvx_resize *rs)
{
	if (!rs->data)
		return;
	hvx_warm_end(rs);
	hvx_hook_remove(&rs->vm->intercept, &hvx_mirror_of(rs)->hook);
}

static void hvx_mirror_free(struct hvx_resize *rs)
{
	if (!rs->data)
		return;
	vfree(hvx_mirror_of(rs)->losers);
	kfree(rs->data);
	rs->data = NULL;
}

const struct hvx_strategy hvx_mirror_strategy = {
	.name = "mirror",
	.id = KVM_PPC_HPT_RESIZE_MIRROR,
	.possible = hvx_mirror_possible,
	.populate = hvx_mirror_populate,
	.collides = hvx_mirror_collides,
	.commit = hvx_mirror_commit,
	.stop = hvx_mirror_stop,
	.free = hvx_mirror_free,
};
