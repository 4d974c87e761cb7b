/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HPT resize: the state machine, and what a strategy has to provide.
 */
#ifndef KVM_HV_EXT_RESIZE_H
#define KVM_HV_EXT_RESIZE_H

#include <linux/ktime.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "base/base.h"
#include "resize/harvest.h"
#include "resize/hpt.h"

/*
 * KVM's reverse maps name an entry by 32 bits of index: with 2^(n - 4) entries in a
 * table of order n, none larger than this can be linked right.
 */
#define HVX_ORDER_MAX	36

struct hvx_vm;
struct hvx_resize;

/* Of the resize that is pending; a VM without one is idle. */
enum hvx_state {
	HVX_ALLOCATING,		/* asked for; the worker makes the table */
	HVX_POPULATING,		/* the strategy brings entries over */
	HVX_READY,		/* waits for COMMIT */
	HVX_FAILED,		/* keeps the error for the next PREPARE */
};

enum hvx_cancel {
	HVX_CANCEL_GUEST,	/* shift 0 or another shift */
	HVX_CANCEL_RESET,	/* KVM_PPC_ALLOCATE_HTAB */
	HVX_CANCEL_HTAB_FD,	/* KVM_PPC_GET_HTAB_FD */
	HVX_CANCEL_MIGRATION,	/* the VM may be about to be moved */
	HVX_CANCEL_MEMSLOT,
	HVX_CANCEL_RADIX,
	HVX_CANCEL_TIMEOUT,
	HVX_CANCEL_COMMIT,	/* a COMMIT that failed */
	HVX_CANCEL_DESTROY,
	HVX_NR_CANCEL
};

/* Who asked: for the log and the tracepoints. */
enum hvx_origin {
	HVX_ORIGIN_IOCTL,
	HVX_ORIGIN_HCALL,
};

/**
 * struct hvx_strategy - a way to get a table's entries into its successor
 * @name: for people
 * @id: KVM_PPC_HPT_RESIZE_*
 * @possible: whether it can do this resize now; NULL if it can do any
 * @populate: called by the worker with the new table empty; may sleep, and
 *	gives up soon after progress.cancel is set. NULL if there is nothing to do.
 *	-EAGAIN if it cannot begin now: it is called again some time later.
 * @collides: whether COMMIT would fail for a collision if it came now; NULL if
 *	only COMMIT can tell. The resizer's lock is held.
 * @commit: called with all vCPUs out of KVM, kvm->slots_lock and
 *	kvm->arch.mmu_setup_lock held; afterwards the new table holds what the
 *	guest may rely on. Returns 0 or -ENOSPC, or another errno.
 * @rc_at_commit: commit has brought the guest's view of R and C over; the
 *	harvest is left with the dirty log
 * @bolted_only: no other entry survives; the harvest counts the rest
 * @stop: the resize has been given up, or its new table is the VM's: no hcall is
 *	followed up any more. May be called more than once, by who has the resize: the
 *	worker while busy, then the holder of the lock.
 * @free: frees what the strategy has noted, when nobody looks at the tables any more.
 */
struct hvx_strategy {
	const char *name;
	u32 id;
	bool (*possible)(struct kvm *kvm, unsigned int from, unsigned int to);
	int (*populate)(struct hvx_resize *rs);
	bool (*collides)(struct hvx_resize *rs);
	int (*commit)(struct hvx_resize *rs);
	bool rc_at_commit;
	bool bolted_only;
	void (*stop)(struct hvx_resize *rs);
	void (*free)(struct hvx_resize *rs);
};

extern const struct hvx_strategy hvx_copy_strategy;
extern const struct hvx_strategy hvx_mirror_strategy;

/* One attempt, from PREPARE to COMMIT or cancel. */
struct hvx_resize {
	struct hvx_vm *vm;
	const struct hvx_strategy *strategy;
	enum hvx_origin origin;
	unsigned int from;		/* order of the table there is, or 0 */
	unsigned int order;		/* of the one to be */

	/* Protected by hvx_resizer.lock. */
	enum hvx_state state;
	int error;
	bool busy;			/* the worker has it, and ends it if need be */
	bool holds_memory;		/* of the guest, see balloon.c */
	unsigned long deadline;		/* of READY, in jiffies */

	/* The worker's while busy, then whoever holds the lock. */
	struct hvx_progress progress;
	struct kvm_hpt_info hpt;	/* the new table; the old one after COMMIT */
	struct hvx_rmaps *rmaps;	/* likewise */
	ktime_t started;		/* PREPARE */
	ktime_t patience;		/* until then it tries to begin to populate */
	s64 prepare_ns;
	atomic64_t kept;		/* entries brought over */
	atomic64_t dropped;		/* entries given up */

	void *data;			/* the strategy's */

	unsigned int record;		/* in hvx_resizer.records, once committed */
	struct llist_node node;		/* in hvx_resizer.discarded */
};

/* A resize that was, for debugfs. */
struct hvx_resize_record {
	unsigned int from, to;
	const char *strategy;
	enum hvx_origin origin;
	u64 prepare_ns;
	u64 commit_ns;			/* vCPUs stopped */
	u64 kept, dropped;
};

#define HVX_RECORDS	16

struct hvx_resize_stats {
	u64 prepares;
	u64 commits;
	u64 commit_failures;
	u64 cancels[HVX_NR_CANCEL];
	u64 harvested;			/* entries whose R or C came over late */
};

/* What one guest's PREPAREs may cost the rest of the host; hvx_resizer.lock. */
struct hvx_throttle {
	ktime_t begin_after;		/* none begins before */
	unsigned int nomem;		/* failures for memory in a row */
	ktime_t hold_after;		/* none keeps the balloon off before */
};

/*
 * The order of the locks is in base/vm.h. hpt_lock is held by whatever replaces the VM's
 * table, empties it, lets user space see it, or reads its dirty bits. lock has the
 * members here, and the state of the pending resize.
 */
struct hvx_resizer {
	struct hvx_vm *vm;
	struct mutex hpt_lock;		/* the identity of kvm->arch.hpt */
	struct mutex lock;		/* pending and what follows it */
	const struct hvx_strategy *strategy;	/* for the next PREPARE */
	struct hvx_resize *pending;
	bool suspended;			/* none may begin */
	struct hvx_throttle throttle;
	struct delayed_work prepare_work;
	struct delayed_work timeout_work;

	struct hvx_resize *committed;	/* while its old table is harvested */
	struct hvx_harvest harvest;

	struct llist_head discarded;	/* those with tables to be freed */
	struct work_struct discard_work;

	/* The resize whose new table has valid entries, until COMMIT; kvm->mmu_lock */
	struct hvx_resize *warm;

	struct hvx_resize_stats stats;
	unsigned int nr_records;
	struct hvx_resize_record records[HVX_RECORDS];
};

void hvx_resizer_init(struct hvx_resizer *rz, struct hvx_vm *vm);
void hvx_resizer_destroy(struct hvx_vm *vm);
int hvx_resize_prepare(struct hvx_vm *vm, u64 flags, u64 order,
		       enum hvx_origin origin);
bool hvx_resize_valid(u64 flags, u64 order);
struct hvx_resize *hvx_resize_current(struct hvx_vm *vm);

/* end.c */
void hvx_resize_end_init(struct hvx_resizer *rz);
void hvx_resize_end_destroy(struct hvx_resizer *rz);
void hvx_resize_cancel_locked(struct hvx_vm *vm, enum hvx_cancel why);
void hvx_resize_cancel(struct hvx_vm *vm, enum hvx_cancel why);
void hvx_resize_suspend(struct hvx_vm *vm, enum hvx_cancel why);
void hvx_resize_resume(struct hvx_vm *vm);
void hvx_resize_expires(struct hvx_resize *rs);
void hvx_resize_release_memory(struct hvx_resize *rs);
void hvx_resize_stop(struct hvx_resize *rs);
void hvx_resize_free_tables(struct hvx_resize *rs);
void hvx_resize_free(struct hvx_resize *rs);

/* hcall.c */
bool hvx_resize_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu);
bool hvx_resize_hcall_known(unsigned long hcall);

/* throttle.c */
int hvx_throttle_wait_ms(const struct hvx_throttle *t);
void hvx_throttle_begun(struct hvx_throttle *t);
void hvx_throttle_ended(struct hvx_throttle *t, int ret);
bool hvx_throttle_may_hold(const struct hvx_throttle *t);
void hvx_throttle_held(struct hvx_throttle *t, ktime_t since);

/* commit.c */
int hvx_resize_commit(struct hvx_vm *vm, u64 flags, u64 order);

/* strategy.c */
void hvx_strategy_init(struct hvx_resizer *rz);
u32 hvx_strategy_mask(void);
int hvx_strategy_parse(const char *name);
int hvx_strategy_choose(struct hvx_vm *vm, u64 id);
const struct hvx_strategy *hvx_strategy_for(struct hvx_vm *vm,
					    unsigned int from, unsigned int to);

/* switch.c */
void hvx_switch(struct hvx_resize *rs);

/* warm.c */
void hvx_warm_unmap(struct hvx_vm *vm, gfn_t start, gfn_t end);

extern struct workqueue_struct *hvx_wq, *hvx_copy_wq, *hvx_discard_wq;

int hvx_resize_init(void);
void hvx_resize_exit(void);

#endif /* KVM_HV_EXT_RESIZE_H */
