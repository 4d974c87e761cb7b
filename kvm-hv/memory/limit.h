/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The largest page that an HPT guest may count on, whatever the host has.
 */
#ifndef KVM_HV_EXT_LIMIT_H
#define KVM_HV_EXT_LIMIT_H

#include <linux/kvm_host.h>

#include "memory/promise.h"

struct hvx_vm;

int hvx_limit_parse(const char *text);
void hvx_limit_init(struct hvx_limit *limit);
unsigned int hvx_limit_host_shift(void);
int hvx_limit_set(struct hvx_vm *vm, u64 shift, u64 flags);
void hvx_limit_preset(struct hvx_vm *vm, unsigned int shift);
u64 hvx_limit_flags(struct hvx_vm *vm);
void hvx_limit_filter(struct hvx_vm *vm, struct kvm_ppc_smmu_info *info);
int hvx_limit_memslot(struct hvx_vm *vm, const struct kvm_memory_slot *slot,
		      enum kvm_mr_change change);
void hvx_limit_recheck(struct hvx_vm *vm);
int hvx_limit_settle(struct hvx_vm *vm, struct kvm_vcpu *vcpu);
int hvx_limit_ask_ioctl(struct hvx_vm *vm, void __user *argp);

/* thp.c */
void hvx_thp_going(struct hvx_vm *vm, const struct kvm_memory_slot *slot,
		   unsigned long hva);

#endif /* KVM_HV_EXT_LIMIT_H */
