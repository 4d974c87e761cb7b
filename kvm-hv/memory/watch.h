/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching for memory that goes although somebody needs it to stay.
 */
#ifndef KVM_HV_EXT_WATCH_H
#define KVM_HV_EXT_WATCH_H

#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct hvx_vm;
struct seq_file;

/* What a part of the host's address space held before it was invalidated. */
struct hvx_snapshot {
	struct task_struct *task;	/* who invalidates; NULL: unused */
	unsigned long start, end;
	unsigned long none, no_table, small, large;	/* bytes */
	bool held, promised;		/* see hvx_holders_promised() */
};

/* Invalidations that may be under way at a time. */
#define HVX_NR_SNAPSHOTS	16

struct hvx_watch {
	struct hvx_vm *vm;

	spinlock_t lock;		/* what follows, up to warned */
	struct hvx_snapshot snapshots[HVX_NR_SNAPSHOTS];
	u64 violations;
	u64 zapped;			/* bytes that have gone */
	u64 split;			/* bytes whose large pages have gone */
	u64 resize_events;		/* likewise, with no holder but resizes */
	u64 resize_bytes;
	u64 unseen;			/* invalidations there was no room for */
	bool warned;

	struct mutex begin_lock;	/* begun, and the registration itself */
	bool begun;
	struct mmu_notifier notifier;
	struct delayed_work begin_work;
};

/* Where a watch is begun for those who must not sleep, or wait for mmap_lock. */
extern struct workqueue_struct *hvx_watch_wq;

void hvx_watch_init(struct hvx_watch *w, struct hvx_vm *vm);
void hvx_watch_begin(struct hvx_vm *vm);
void hvx_watch_begin_atomic(struct hvx_vm *vm);
void hvx_watch_end(struct hvx_watch *w);
void hvx_watch_show(struct seq_file *m, struct hvx_watch *w);

#endif /* KVM_HV_EXT_WATCH_H */
