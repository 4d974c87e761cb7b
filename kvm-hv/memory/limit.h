/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The largest page that an HPT guest may count on, whatever the host has.
 */
#ifndef KVM_HV_EXT_LIMIT_H
#define KVM_HV_EXT_LIMIT_H

#include <linux/atomic.h>
#include <linux/kvm_host.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "core/intercept.h"

struct hvx_vm;

/* KVM HV has nothing larger for guests: 16M. */
#define HVX_GUEST_SHIFT_MAX	24U

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

void hvx_limit_init(struct hvx_limit *limit);
unsigned int hvx_limit_guest_shift(unsigned int shift);
unsigned int hvx_limit_host_shift(void);
int hvx_limit_set(struct hvx_vm *vm, u64 shift, u64 flags);
unsigned int hvx_limit_shift(struct hvx_vm *vm);
u64 hvx_limit_flags(struct hvx_vm *vm);
bool hvx_limit_needs_large(struct hvx_vm *vm);
void hvx_limit_filter(struct hvx_vm *vm, struct kvm_ppc_smmu_info *info);
int hvx_limit_memslot(struct hvx_vm *vm, const struct kvm_memory_slot *slot,
		      enum kvm_mr_change change);
void hvx_limit_recheck(struct hvx_vm *vm);
int hvx_limit_settle(struct hvx_vm *vm, struct kvm_vcpu *vcpu);
int hvx_limit_ask_ioctl(struct hvx_vm *vm, void __user *argp);

/* thp.c */
void hvx_thp_going(struct hvx_vm *vm, const struct kvm_memory_slot *slot,
		   unsigned long hva);

static inline bool hvx_limit_strict(const struct hvx_limit *limit)
{
	return READ_ONCE(limit->strict);
}

/* Whether nothing has happened since memory was last looked at. */
static inline bool hvx_limit_settled(struct hvx_limit *limit)
{
	return READ_ONCE(limit->settled) == atomic_read(&limit->epoch);
}

#endif /* KVM_HV_EXT_LIMIT_H */
