/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page-size limit as it stands, for all who ask (limit.c makes it).
 */
#ifndef KVM_HV_EXT_PROMISE_H
#define KVM_HV_EXT_PROMISE_H

#include <linux/atomic.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "base/base.h"

struct hvx_limit {
	spinlock_t lock;	/* protects what follows, up to ran */
	unsigned int shift;	/* 0: no limit, stock behaviour */
	bool strict;
	struct hvx_hook hook;	/* on H_ENTER, in strict mode */
	bool chosen;		/* by the VMM, not the module parameter */
	bool ran;		/* too late to choose */
	struct mutex hold_lock;	/* protects holds, and the hold itself */
	bool holds;		/* memory must stay, see balloon.c */

	u64 device_base;	/* guest address from which on there is no memory */
	atomic_t told;		/* that huge pages go, see thp.c */

	/* Memory was last looked at when epoch was at this number. */
	int settled;
	atomic_t epoch;
};

static inline bool hvx_limit_strict(const struct hvx_limit *limit)
{
	return READ_ONCE(limit->strict);
}

/* Whether nothing has happened since memory was last looked at. */
static inline bool hvx_limit_settled(struct hvx_limit *limit)
{
	return READ_ONCE(limit->settled) == atomic_read(&limit->epoch);
}

/**
 * hvx_limit_shift() - the limit in force
 * @limit: the VM's
 *
 * Context: any.
 * Return: the shift as it was chosen, 0 for no limit.
 */
static inline unsigned int hvx_limit_shift(const struct hvx_limit *limit)
{
	return READ_ONCE(limit->shift);
}

/**
 * hvx_limit_needs_large() - whether pages of the host's base size will not do
 * @limit: the VM's
 * @kvm: the VM
 *
 * Context: any.
 * Return: true for an HPT guest with a limit above that.
 */
static inline bool hvx_limit_needs_large(const struct hvx_limit *limit,
					 struct kvm *kvm)
{
	unsigned int shift = hvx_limit_shift(limit);

	return shift && !kvm_is_radix(kvm) && hvx_guest_shift(shift) > PAGE_SHIFT;
}

#endif /* KVM_HV_EXT_PROMISE_H */
