/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who needs a VM's memory to stay where it is, and whether it does.
 */
#ifndef KVM_HV_EXT_BALLOON_H
#define KVM_HV_EXT_BALLOON_H

#include <linux/kvm_host.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "memory/backing.h"

struct eventfd_ctx;
struct file;
struct hvx_vm;

/* Who may be a holder; each may hold many times. */
enum hvx_holder {
	HVX_HOLDER_FD,		/* a descriptor of KVM_PPC_BALLOON_INHIBIT */
	HVX_HOLDER_PROMISE,	/* pages above the host's base size */
	HVX_HOLDER_RESIZE,
	HVX_HOLDER_VFIO,
	HVX_NR_HOLDERS
};

/* What a part of the host's address space held before it was invalidated. */
struct hvx_snapshot {
	struct task_struct *task;	/* who invalidates; NULL: unused */
	unsigned long start, end;
	unsigned long none, no_table, small, large;	/* bytes */
	bool held, promised;		/* see hvx_balloon_promised() */
};

/* Invalidations that may be under way at a time. */
#define HVX_NR_SNAPSHOTS	16

struct hvx_balloon {
	spinlock_t lock;		/* protects what follows */
	unsigned int holders[HVX_NR_HOLDERS];
	unsigned int total;
	struct eventfd_ctx *eventfd;
	struct hvx_snapshot snapshots[HVX_NR_SNAPSHOTS];
	u64 violations;
	u64 zapped;			/* bytes that have gone */
	u64 split;			/* bytes whose large pages have gone */
	u64 resize_events;		/* likewise, with no holder but resizes */
	u64 resize_bytes;
	u64 unseen;			/* invalidations there was no room for */
	bool warned;

	struct mutex watch_lock;	/* protects watching */
	bool watching;
	struct mmu_notifier notifier;
	struct delayed_work watch_work;
};

void hvx_balloon_init(struct hvx_balloon *b);
void hvx_balloon_destroy(struct hvx_vm *vm);
void hvx_balloon_get(struct hvx_vm *vm, enum hvx_holder who);
void hvx_balloon_get_atomic(struct hvx_vm *vm, enum hvx_holder who);
void hvx_balloon_put(struct hvx_vm *vm, enum hvx_holder who);
void hvx_balloon_put_all(struct hvx_vm *vm, enum hvx_holder who);
unsigned int hvx_balloon_holders(struct hvx_vm *vm);
bool hvx_balloon_promised(struct hvx_vm *vm);
int hvx_balloon_ioctl(struct hvx_vm *vm, struct file *vm_file, void __user *argp);
void hvx_balloon_show(struct seq_file *m, struct hvx_vm *vm);

#endif /* KVM_HV_EXT_BALLOON_H */
