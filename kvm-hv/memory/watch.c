// SPDX-License-Identifier: GPL-2.0
/*
 * Watching for memory that goes although somebody needs it to stay (balloon.c).
 *
 * KVM's unmap_gfn_range() cannot tell. It is called before anything happens, for
 * mprotect(), migration, a copy on write or a collapse just as for a page that goes for
 * good. KVM does not pass the reason on, and the MMU notifier says "clear" for most of
 * these. So there is a notifier beside KVM's own, which takes a snapshot of the page
 * tables before and after. An entry that was present and is none afterwards has been
 * zapped. Pages that were large and are small have been split. In all other cases the
 * guest still has its memory.
 *
 * What is seen: MADV_DONTNEED and the like, munmap(), holes punched in files, and
 * page cache that the host reclaims from under a shared mapping. What is not:
 * anonymous memory that is swapped out, which keeps an entry.
 */
#include <linux/interval_tree.h>
#include <linux/kvm_host.h>
#include <linux/mmu_notifier.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>

#include "base/base.h"
#include "memory/memory.h"

#define CREATE_TRACE_POINTS
#include "memory/trace.h"

struct workqueue_struct *hvx_watch_wq;

/* The part of a memslot between two host addresses; empty if start >= end. */
struct hvx_part {
	unsigned long start, end;
};

static struct hvx_part hvx_part_of(const struct kvm_memory_slot *slot,
				   unsigned long start, unsigned long end)
{
	unsigned long slot_end = slot->userspace_addr +
				 (slot->npages << PAGE_SHIFT);

	return (struct hvx_part) {
		.start = max(start, slot->userspace_addr),
		.end = min(end, slot_end),
	};
}

/*
 * The memslots with anything between two addresses. KVM keeps them in a tree; an
 * invalidation may be about any page of the process, and memslots may be many.
 */
struct hvx_slot_walk {
	struct kvm_memslots *slots;
	struct interval_tree_node *node;
	unsigned long start, last;
};

static void hvx_slot_walk_start(struct hvx_slot_walk *walk, struct kvm *kvm,
				const struct hvx_snapshot *snap)
{
	walk->slots = kvm_memslots(kvm);
	walk->start = snap->start;
	walk->last = snap->end - 1;
	walk->node = interval_tree_iter_first(&walk->slots->hva_tree,
					      walk->start, walk->last);
}

/* The one it is at, or NULL behind the last. */
static struct kvm_memory_slot *hvx_slot_walk_at(const struct hvx_slot_walk *walk)
{
	return walk->node ? container_of(walk->node, struct kvm_memory_slot,
					 hva_node[walk->slots->node_idx]) :
			    NULL;
}

static void hvx_slot_walk_next(struct hvx_slot_walk *walk)
{
	walk->node = interval_tree_iter_next(walk->node, walk->start,
					     walk->last);
}

/* Looks at what memslots there are between two addresses. */
static void hvx_watch_snapshot(struct kvm *kvm, struct hvx_snapshot *snap)
{
	struct hvx_backing_count count = { 0 };
	struct kvm_memory_slot *slot;
	struct hvx_slot_walk walk;
	int idx, i;

	idx = srcu_read_lock(&kvm->srcu);
	for (hvx_slot_walk_start(&walk, kvm, snap);
	     (slot = hvx_slot_walk_at(&walk)); hvx_slot_walk_next(&walk)) {
		struct hvx_part part = hvx_part_of(slot, snap->start,
						   snap->end);

		hvx_backing_walk(kvm->mm, part.start, part.end, &count);
	}
	srcu_read_unlock(&kvm->srcu, idx);

	snap->none = count.none;
	snap->no_table = count.no_table;
	snap->small = count.present[PAGE_SHIFT];
	snap->large = 0;
	for (i = PAGE_SHIFT + 1; i < ARRAY_SIZE(count.present); i++)
		snap->large += count.present[i];
}

/* For the log: which memslot, and where in the guest. */
static int hvx_watch_slot(struct hvx_vm *vm, const struct hvx_snapshot *snap,
			  u64 *gpa)
{
	struct kvm *kvm = vm->kvm;
	struct kvm_memory_slot *slot;
	struct hvx_slot_walk walk;
	struct hvx_part part;
	int idx, id = -1;

	idx = srcu_read_lock(&kvm->srcu);
	hvx_slot_walk_start(&walk, kvm, snap);
	slot = hvx_slot_walk_at(&walk);
	if (slot) {
		part = hvx_part_of(slot, snap->start, snap->end);
		id = slot->id;
		*gpa = gfn_to_gpa(slot->base_gfn) +
		       (part.start - slot->userspace_addr);
		if (hvx_limit_needs_large(&vm->memory->limit, vm->kvm))
			hvx_thp_going(vm, slot, part.start);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return id;
}

static void hvx_watch_report(struct hvx_vm *vm,
			     const struct hvx_snapshot *snap, u64 zapped, u64 split)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct hvx_watch *w = &vm->memory->watch;
	bool first = false;
	u64 gpa = 0;
	int slot;

	spin_lock(&w->lock);
	if (snap->promised) {
		w->violations++;
		w->zapped += zapped;
		w->split += split;
		first = !w->warned && __ratelimit(&limit);
		w->warned |= first;
	} else if (snap->held) {
		w->resize_events++;
		w->resize_bytes += zapped + split;
	}
	spin_unlock(&w->lock);

	slot = hvx_watch_slot(vm, snap, &gpa);
	if (snap->promised)
		trace_hvx_balloon_violation(vm->kvm, slot, gpa, zapped, split);
	if (first)
		pr_warn("VM of process %d: memslot %d, guest address %#llx: %llu bytes zapped and %llu bytes of large pages split by %s while ballooning is inhibited; further ones are only counted\n",
			vm->kvm->userspace_pid, slot, gpa, zapped, split,
			current->comm);
}

/*
 * Whether an invalidation leaves the memory in place, or takes that of a dead process.
 * The OOM killer's reaper does the latter, and is not to be kept waiting.
 */
static bool hvx_watch_harmless(const struct mmu_notifier_range *range)
{
	if (!mmu_notifier_range_blockable(range))
		return true;
	switch (range->event) {
	case MMU_NOTIFY_UNMAP:
	case MMU_NOTIFY_CLEAR:
		return false;
	default:
		return true;
	}
}

static int hvx_watch_start(struct mmu_notifier *mn,
			   const struct mmu_notifier_range *range)
{
	struct hvx_watch *w = container_of(mn, struct hvx_watch, notifier);
	struct hvx_vm *vm = w->vm;
	struct hvx_snapshot snap = {
		.task = current,
		.start = range->start,
		.end = range->end,
		.held = hvx_holders_total(&vm->memory->holders),
	};
	int i;

	if (!snap.held && (READ_ONCE(vm->memory->limit.ran) ||
			   !hvx_limit_needs_large(&vm->memory->limit, vm->kvm)))
		return 0;
	if (hvx_watch_harmless(range))
		return 0;
	snap.promised = hvx_holders_promised(&vm->memory->holders);
	hvx_watch_snapshot(vm->kvm, &snap);
	if (!snap.small && !snap.large)
		return 0;

	spin_lock(&w->lock);
	for (i = 0; i < HVX_NR_SNAPSHOTS && w->snapshots[i].task; i++)
		;
	if (i < HVX_NR_SNAPSHOTS)
		w->snapshots[i] = snap;
	else
		w->unseen++;
	spin_unlock(&w->lock);
	return 0;
}

/* The last one, as a task may be in two at a time, one inside the other. */
static bool hvx_watch_claim(struct hvx_watch *w, struct hvx_snapshot *snap)
{
	struct hvx_snapshot *e = NULL;
	int i;

	spin_lock(&w->lock);
	for (i = 0; i < HVX_NR_SNAPSHOTS; i++)
		if (w->snapshots[i].task == snap->task &&
		    w->snapshots[i].start == snap->start &&
		    w->snapshots[i].end == snap->end)
			e = &w->snapshots[i];
	if (e) {
		*snap = *e;
		e->task = NULL;
	}
	spin_unlock(&w->lock);
	return e;
}

/* How many there are more than there were. */
static unsigned long hvx_more(unsigned long were, unsigned long are)
{
	return are > were ? are - were : 0;
}

static void hvx_watch_finish(struct mmu_notifier *mn,
			     const struct mmu_notifier_range *range)
{
	struct hvx_watch *w = container_of(mn, struct hvx_watch, notifier);
	struct hvx_vm *vm = w->vm;
	struct hvx_snapshot before = {
		.task = current,
		.start = range->start,
		.end = range->end,
	};
	struct hvx_snapshot after = before;
	unsigned long zapped, split;

	if (hvx_watch_harmless(range) || !hvx_watch_claim(w, &before))
		return;
	hvx_watch_snapshot(vm->kvm, &after);
	/*
	 * A page table is not taken away by what zaps small pages, but by a
	 * collapse, which is about to put a large page there.
	 */
	zapped = hvx_more(before.none, after.none) +
		 min(hvx_more(before.no_table, after.no_table),
		     hvx_more(after.large, before.large));
	split = min(hvx_more(before.small, after.small),
		    hvx_more(after.large, before.large));
	if (zapped || split)
		hvx_watch_report(vm, &before, zapped, split);
}

static const struct mmu_notifier_ops hvx_watch_ops = {
	.invalidate_range_start = hvx_watch_start,
	.invalidate_range_end = hvx_watch_finish,
};

static int hvx_watch_register(struct hvx_vm *vm)
{
	struct hvx_watch *w = &vm->memory->watch;
	struct mm_struct *mm = vm->kvm->mm;
	int ret = 0;

	mutex_lock(&w->begin_lock);
	/* A process on its way out has no memory left to watch. */
	if (!w->begun && mmget_not_zero(mm)) {
		w->notifier.ops = &hvx_watch_ops;
		ret = mmu_notifier_register(&w->notifier, mm);
		w->begun = !ret;
		mmput(mm);
	}
	mutex_unlock(&w->begin_lock);
	return ret;
}

/*
 * The same by a worker, which serves other VMs as well, so it waits for neither lock: a
 * VMM can hold its mmap_lock for as long as it likes, by a page fault that a file system
 * of its own answers. It does not tear down the mm either, if it drops the last
 * reference.
 *
 * Return: 0, or an error if it is to be tried again.
 */
static int hvx_watch_try_register(struct hvx_vm *vm)
{
	struct hvx_watch *w = &vm->memory->watch;
	struct mm_struct *mm = vm->kvm->mm;
	int ret = 0;

	if (!mutex_trylock(&w->begin_lock))
		return -EAGAIN;
	if (!w->begun && mmget_not_zero(mm)) {
		ret = -EAGAIN;
		if (hvx_mmap_write_trylock(mm)) {
			w->notifier.ops = &hvx_watch_ops;
			ret = __mmu_notifier_register(&w->notifier, mm);
			w->begun = !ret;
			mmap_write_unlock(mm);
		}
		mmput_async(mm);
	}
	mutex_unlock(&w->begin_lock);
	return ret;
}

/* Until the worker tries again. */
#define HVX_WATCH_RETRY		msecs_to_jiffies(100)

/**
 * hvx_watch_begin_atomic() - hvx_watch_begin() where sleeping is not allowed
 * @vm: the VM
 *
 * A worker begins the watch, so memory that goes in the first moment may be missed.
 *
 * Context: any.
 */
void hvx_watch_begin_atomic(struct hvx_vm *vm)
{
	queue_delayed_work(hvx_watch_wq, &vm->memory->watch.begin_work, 0);
}

/**
 * hvx_watch_begin() - watch a VM's memory from now on
 * @vm: the VM
 *
 * The watch goes on to the VM's end. It costs little while there is no holder and the
 * guest has begun to run.
 *
 * Context: may sleep; mmap_lock is not held.
 */
void hvx_watch_begin(struct hvx_vm *vm)
{
	/* A signal that is pending ends the attempt; the worker gets none. */
	if (hvx_watch_register(vm))
		hvx_watch_begin_atomic(vm);
}

static void hvx_watch_work(struct work_struct *work)
{
	struct hvx_watch *w = container_of(to_delayed_work(work),
					   struct hvx_watch, begin_work);

	if (hvx_watch_try_register(w->vm))
		queue_delayed_work(hvx_watch_wq, &w->begin_work, HVX_WATCH_RETRY);
}

/**
 * hvx_watch_init() - the watch of a new VM, not begun
 * @w: zeroed
 * @vm: the VM
 */
void hvx_watch_init(struct hvx_watch *w, struct hvx_vm *vm)
{
	w->vm = vm;
	spin_lock_init(&w->lock);
	mutex_init(&w->begin_lock);
	INIT_DELAYED_WORK(&w->begin_work, hvx_watch_work);
}

/**
 * hvx_watch_end() - end the watch
 * @w: of a VM that goes away
 *
 * Context: may sleep.
 */
void hvx_watch_end(struct hvx_watch *w)
{
	cancel_delayed_work_sync(&w->begin_work);
	if (w->begun)
		mmu_notifier_unregister(&w->notifier, w->vm->kvm->mm);
	w->begun = false;
}

/**
 * hvx_watch_show() - print what has been seen, as "name value" lines
 * @m: where
 * @w: the VM's
 */
void hvx_watch_show(struct seq_file *m, struct hvx_watch *w)
{
	spin_lock(&w->lock);
	seq_printf(m, "violations %llu\n", w->violations);
	seq_printf(m, "zapped_bytes %llu\n", w->zapped);
	seq_printf(m, "split_bytes %llu\n", w->split);
	seq_printf(m, "resize_events %llu\n", w->resize_events);
	seq_printf(m, "resize_bytes %llu\n", w->resize_bytes);
	seq_printf(m, "unseen %llu\n", w->unseen);
	spin_unlock(&w->lock);
}
