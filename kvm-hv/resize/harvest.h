/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The harvest: what is left to do when a VM has its new table.
 */
#ifndef KVM_HV_EXT_HARVEST_H
#define KVM_HV_EXT_HARVEST_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "base/base.h"

struct kvm;
struct kvm_hpt_info;
struct task_struct;

struct hvx_harvest {
	struct kvm *kvm;
	struct hvx_intercept *intercept;
	/* All is harvested. Called by the thread: @old is looked at no more. */
	void (*done)(struct hvx_harvest *hv, u64 found, u64 left);

	struct task_struct *thread;	/* NULL until a resize has been prepared */
	wait_queue_head_t wait;		/* for "started" and for "no table left" */
	struct delayed_work start_work;	/* has the thread start */
	atomic_t waiters;		/* while there are any it hurries */
	struct hvx_hook hook;

	/* COMMIT sets these, start_work the last one; the thread clears them. */
	const struct kvm_hpt_info *old;	/* NULL: no harvest is under way */
	bool guest_view;		/* the new entries lack R and C of the old */
	bool started;
};

void hvx_harvest_init(struct hvx_harvest *hv, struct kvm *kvm,
		      struct hvx_intercept *intercept,
		      void (*done)(struct hvx_harvest *hv, u64 found, u64 left));
int hvx_harvest_prepare(struct hvx_harvest *hv);
void hvx_harvest_begin(struct hvx_harvest *hv, const struct kvm_hpt_info *old,
		       bool guest_view);
void hvx_harvest_start(struct hvx_harvest *hv);
void hvx_harvest_wait(struct hvx_harvest *hv);

/* Whether there is a table to be harvested: as long as the resizer's lock is held, if not. */
static inline bool hvx_harvest_busy(const struct hvx_harvest *hv)
{
	/* Pairs with hvx_harvest_begin() and with the end of hvx_harvest_table(). */
	return smp_load_acquire(&hv->old);
}

void hvx_harvest_destroy(struct hvx_harvest *hv);

#endif /* KVM_HV_EXT_HARVEST_H */
