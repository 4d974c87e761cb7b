// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrored prepare: from PREPARE on, the new table follows the old one, so that
 * COMMIT has nothing left to do but switch.
 *
 * There is one operation: "make slot j of the new table what it should be now",
 * by reading the old slots that j can come from. It is idempotent, so it does
 * not matter how often or by whom it is done: by the worker that walks the old
 * table, or by the vCPU whose hcall has changed one of those slots (intercept.c).
 *
 * What j should be is decided while j is locked, and a vCPU does it after its
 * change is in the old table. So of all that concern j, the one that locks it
 * last sees every change, and what it writes stands.
 *
 * Entries go over as absent: no host address, no reverse map. So nothing that
 * the host does to the old entries needs mirroring, except that bits R and C
 * move into guest_rpte; the harvest brings those.
 *
 * A slot of a larger table can come from one old slot. One of a smaller table
 * can come from 2^k: a bolted entry wins, then the one in the lowest PTEG, and
 * two bolted ones are a collision that fails COMMIT unless one has gone by then.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/compat.h"
#include "resize/mirror.h"
#include "core/vm.h"
#include "core/trace.h"

static bool verify;
module_param(verify, bool, 0644);
MODULE_PARM_DESC(verify,
		 "At COMMIT, compare the whole mirrored HPT with the old one and fail on a difference (slow, for tests)");

/*
 * An hcall looks at 2^k slots. Beyond this many orders at a time COMMIT copies,
 * so that a guest cannot make its hcalls arbitrarily long.
 */
#define HVX_MIRROR_MAX_ORDERS	6

/* HPTEs between two looks at whether to go on, and between two trace events. */
#define HVX_MIRROR_CHUNK	4096
#define HVX_MIRROR_TRACE	BIT(20)

/* The worker comes again soon, and the vCPUs run in between. */
#define HVX_MIRROR_LONGEST	msecs_to_jiffies(40)

/*
 * What a slot of the new table should hold. rev[].forw and .back of the new table
 * are free until an entry is faulted in after the switch: they keep whether the
 * slot is collided, and how many entries had to give way for it.
 */
struct hvx_wanted {
	struct hvx_entry e;
	unsigned int losers;
	bool collision;
};

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

/* Context: preemption disabled. Return: false if an old slot could not be read. */
static bool hvx_mirror_want(struct hvx_resize *rs, u64 j,
			    struct hvx_wanted *want)
{
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	u64 step = hpt_nr_hptes(rs->order);
	u64 i, n = hpt_nr_hptes(rs->from);
	struct hvx_entry e;

	memset(want, 0, sizeof(*want));
	for (i = j & (n - 1); i < n; i += step) {
		if (!hvx_entry_try_read(old, i, &e))
			return false;
		if (!e.v || hpte_rehash(e.v, e.gr, i, rs->from, rs->order) != j)
			continue;
		if (!want->e.v) {
			want->e = e;
			continue;
		}
		want->losers++;
		if (!(e.v & HPT_V_BOLTED))
			continue;
		if (want->e.v & HPT_V_BOLTED)
			want->collision = true;
		else
			want->e = e;
	}
	return true;
}

/* Context: preemption disabled. Return: false if it has to be done again. */
static bool hvx_mirror_try_sync_slot(struct hvx_resize *rs, u64 j)
{
	struct revmap_entry *rev = &rs->hpt.rev[j];
	__be64 *hptep = hvx_hptep(&rs->hpt, j);
	struct hvx_wanted want;
	bool had;

	if (!hvx_hpte_trylock(hptep))
		return false;
	/*
	 * The lock is visible before the old slots are read. Pairs with the
	 * barrier in hvx_mirror_sync(): either that sees the lock, or we see
	 * the change that it follows up.
	 */
	smp_mb();
	had = hpte_in_use(hvx_read_be64(&hptep[0]));
	if (!hvx_mirror_want(rs, j, &want)) {
		/* As it was: what is true of j then, is found out under its lock. */
		hvx_hpte_unlock(hptep);
		return false;
	}

	atomic64_add((!!want.e.v) - had, &rs->kept);
	atomic64_add((int)(want.losers - rev->back), &rs->dropped);
	atomic64_add(want.collision - (int)rev->forw,
		     &hvx_mirror_of(rs)->collisions);
	rev->back = want.losers;
	rev->forw = want.collision;

	if (want.e.v) {
		rev->guest_rpte = want.e.gr;
		hvx_hpte_write(hptep, hpte_absent_v(want.e.v),
			       hpte_absent_r(want.e.v, want.e.gr, want.e.mmio));
	} else {
		rev->guest_rpte = 0;
		unlock_hpte(hptep, 0);
	}
	return true;
}

static void hvx_mirror_sync_slot(struct hvx_resize *rs, u64 j)
{
	bool done;

	for (;;) {
		preempt_disable();
		done = hvx_mirror_try_sync_slot(rs, j);
		preempt_enable();
		if (done)
			return;
		hvx_hpte_back_off();
	}
}

/*
 * Where the entry of an old slot goes, or beyond the new table if there is none. The
 * slot is not locked: who changes meanwhile what this depends on follows it up himself,
 * and the host changes nothing of that.
 */
static u64 hvx_mirror_to(struct hvx_resize *rs, u64 index)
{
	const struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	u64 v = hvx_hpte_v(hvx_hptep(old, index));

	if (!hpte_in_use(v))
		return hpt_nr_hptes(rs->order);
	return hpte_rehash(v, READ_ONCE(old->rev[index].guest_rpte), index,
			   rs->from, rs->order);
}

/*
 * Make the new table agree with a slot of the old one.
 *
 * Between the change of the old slot and the end of this the vCPU may be preempted or
 * sleep. The new slot is then out of date, but nobody uses it: COMMIT waits until
 * every vCPU has left the gate, so until this is done.
 *
 * Context: may sleep; inside the gate, or the worker.
 */
static void hvx_mirror_sync(struct hvx_resize *rs, u64 index)
{
	u64 j, n = hpt_nr_hptes(rs->order);
	u64 step = hpt_nr_hptes(rs->from);
	u64 to;

	if (rs->order <= rs->from) {
		hvx_mirror_sync_slot(rs, index & (n - 1));
		return;
	}

	to = hvx_mirror_to(rs, index);
	/*
	 * The change in the old table comes before the look for what it may have
	 * left behind in the new one. Pairs with hvx_mirror_sync_slot().
	 */
	smp_mb();
	for (j = index; j < n; j += step)
		if (j == to || READ_ONCE(*hvx_hptep(&rs->hpt, j)))
			hvx_mirror_sync_slot(rs, j);
}

static void hvx_mirror_walk_pteg(struct hvx_resize *rs, u64 index)
{
	const __be64 *v = hvx_hptep(&rs->vm->kvm->arch.hpt, index);
	const __be64 in_use = cpu_to_be64(HPT_V_VALID | HPT_V_ABSENT);
	unsigned int slot;

	if (!((v[0] | v[2] | v[4] | v[6] | v[8] | v[10] | v[12] | v[14]) & in_use))
		return;
	for (slot = 0; slot < HPT_PTEG_SLOTS; slot++, v += 2)
		if (READ_ONCE(*v) & in_use)
			hvx_mirror_sync(rs, index + slot);
}

/*
 * What is empty in the old table is empty in the new one too, unless an hcall
 * has filled both in the meantime.
 */
static int hvx_mirror_walk(struct hvx_resize *rs)
{
	u64 i, n = hpt_nr_hptes(rs->from);

	for (i = 0; i < n; i += HPT_PTEG_SLOTS) {
		if (!(i % HVX_MIRROR_CHUNK)) {
			if (READ_ONCE(rs->progress.cancel))
				return -ECANCELED;
			WRITE_ONCE(rs->progress.done,
				   hvx_hpt_bytes(rs->order) +
				   (i << HPT_HPTE_SHIFT));
			hvx_relax();
		}
		if (!(i % HVX_MIRROR_TRACE))
			trace_hvx_progress(rs->vm->kvm, rs->order,
					   rs->progress.done,
					   rs->progress.total);
		hvx_mirror_walk_pteg(rs, i);
	}
	WRITE_ONCE(rs->progress.done, rs->progress.total);
	return 0;
}

static void hvx_mirror_after(struct hvx_hook *hook, u64 index)
{
	hvx_mirror_sync(container_of(hook, struct hvx_mirror, hook)->rs, index);
}

static const struct hvx_hook_ops hvx_mirror_hook_ops = {
	.hcalls = BIT(HVX_HPT_ENTER) | BIT(HVX_HPT_REMOVE) |
		  BIT(HVX_HPT_BULK_REMOVE) | BIT(HVX_HPT_PROTECT) |
		  BIT(HVX_HPT_CLEAR_REF) | BIT(HVX_HPT_CLEAR_MOD),
	.after = hvx_mirror_after,
};

/* From here on each hcall that changes the old table is followed up. */
static int hvx_mirror_begin(struct hvx_resize *rs)
{
	struct hvx_resizer *rz = &rs->vm->resizer;
	int ret = -ECANCELED;

	mutex_lock(&rz->lock);
	if (rz->pending == rs)
		ret = hvx_gate_close(&rs->vm->gate, HVX_MIRROR_LONGEST);
	if (!ret) {
		hvx_hook_add(&rs->vm->intercept, &hvx_mirror_of(rs)->hook,
			     &hvx_mirror_hook_ops);
		hvx_gate_open(&rs->vm->gate);
	}
	mutex_unlock(&rz->lock);
	return ret;
}

static int hvx_mirror_populate(struct hvx_resize *rs)
{
	struct hvx_mirror *mirror = rs->data;
	int ret;

	if (!mirror) {
		mirror = kzalloc(sizeof(*mirror), GFP_KERNEL);
		if (!mirror)
			return -ENOMEM;
		mirror->rs = rs;
		rs->data = mirror;
	}
	ret = hvx_mirror_begin(rs);
	if (ret)
		return ret;
	return hvx_mirror_walk(rs);
}

/*
 * An absent entry that was marked as emulated MMIO becomes valid if a memslot has come
 * since it was entered, and the guest touches it. Its copy keeps the mark, which is
 * right: the mark is a hint of what the fault is about, and KVM's fault handler looks
 * for a memslot all the same.
 */
static u64 hvx_mirror_want_r(const struct hvx_entry *e, u64 r)
{
	bool mmio = e->mmio;

	if (e->v & HPT_V_VALID)
		mmio = hpte_is_mmio(hpte_absent_v(e->v), r);
	return hpte_absent_r(e->v, e->gr, mmio);
}

static bool hvx_mirror_slot_right(struct hvx_resize *rs, u64 j)
{
	const struct revmap_entry *rev = &rs->hpt.rev[j];
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	struct hvx_wanted want;
	u64 v, r, want_v = 0, want_r = 0;
	bool done;

	for (;;) {
		preempt_disable();
		done = hvx_mirror_want(rs, j, &want);
		preempt_enable();
		if (done)
			break;
		hvx_hpte_back_off();
	}
	v = hvx_hpte_v(hptep);
	r = hvx_read_be64(&hptep[1]);
	if (want.e.v) {
		want_v = hpte_absent_v(want.e.v);
		want_r = hvx_mirror_want_r(&want.e, r);
	}

	if (!hpte_in_use(v))
		v = 0;
	/* The segment size has taken the place of the top of an MMIO address. */
	if (cpu_has_feature(CPU_FTR_ARCH_300)) {
		r = hpte_v3_to_v2_r(r);
		want_r = hpte_v3_to_v2_r(want_r);
	}
	/* R and C may have been noted since; the harvest brings them. */
	if (v == want_v &&
	    (!v || (!((r ^ want_r) & ~HPT_R_RC) &&
		    !((rev->guest_rpte ^ want.e.gr) & ~(HPT_R_RC | HPT_GR_MODIFIED)) &&
		    !(rev->guest_rpte & ~want.e.gr & HPT_R_RC))))
		return true;

	pr_err_ratelimited("verify: lpid %llu order %u -> %u slot %llx: %016llx %016llx guest %016llx, should be %016llx %016llx guest %016llx\n",
			   (u64)rs->vm->kvm->arch.lpid, rs->from, rs->order, j,
			   v, r, (u64)rev->guest_rpte, want_v, want_r, want.e.gr);
	return false;
}

static int hvx_mirror_verify(struct hvx_resize *rs)
{
	u64 j, n = hpt_nr_hptes(rs->order);

	for (j = 0; j < n; j++) {
		if (!(j % HVX_MIRROR_CHUNK))
			hvx_relax();
		if (!hvx_mirror_slot_right(rs, j))
			return -EIO;
	}
	return 0;
}

static bool hvx_mirror_collides(struct hvx_resize *rs)
{
	return atomic64_read(&hvx_mirror_of(rs)->collisions);
}

static int hvx_mirror_commit(struct hvx_resize *rs)
{
	int ret = 0;

	/* A table changed behind our back: the guest may start again. */
	if (!hvx_hook_complete(&rs->vm->intercept, &hvx_mirror_of(rs)->hook))
		return -ENXIO;
	if (hvx_mirror_collides(rs))
		return -ENOSPC;
	if (verify)
		ret = hvx_mirror_verify(rs);
	return ret;
}

static void hvx_mirror_stop(struct hvx_resize *rs)
{
	if (rs->data)
		hvx_hook_remove(&rs->vm->intercept, &hvx_mirror_of(rs)->hook);
}

static void hvx_mirror_free(struct hvx_resize *rs)
{
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
