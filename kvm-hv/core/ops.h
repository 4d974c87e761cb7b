/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core: the seam to KVM HV. It knows all rooms, and none of them knows it.
 *
 * main.c	the module's beginning and end
 * ops.c	which of KVM HV's operations are extended, and by what
 * run.c	KVM_RUN
 * registers.c	the VMM's registers meanwhile
 * hash.c	the guest's DEXCR and HASHKEYR
 * caps.c	capabilities
 * reset.c	KVM_PPC_ALLOCATE_HTAB of order 0
 * vm.c		what is kept for a VM
 * state.c	KVM_PPC_HV_EXT_STATE
 * debugfs.c	what can be seen
 * node.c	nodes beside /dev/kvm
 */
#ifndef KVM_HV_EXT_OPS_H
#define KVM_HV_EXT_OPS_H

#include <linux/kvm_host.h>
#include <linux/preempt.h>

#include "base/base.h"

/* Stock KVM HV's operations, as they were before the module came. */
extern struct kvmppc_ops hvx_stock;

int hvx_ops_install(void);
void hvx_ops_remove(void);

/* vm.c */
struct hvx_vm *hvx_vm_create(struct kvm *kvm);
void hvx_vm_destroy(struct hvx_vm *vm);

/* run.c */
extern struct hvx_gate hvx_foreign_gate;
int hvx_vcpu_run(struct kvm_vcpu *vcpu);

/* registers.c */
struct hvx_registers {
	u64 vrsave, ebbhr, ebbrr, bescr, tar;	/* on a POWER8 */
};

void hvx_registers_put_away(struct hvx_registers *regs);
void hvx_registers_give_back(const struct hvx_registers *regs);

/* hash.c */
struct hvx_hash {
	struct preempt_notifier notifier;
	bool entered;
	u64 dexcr, hashkeyr;	/* those that are not in the CPU */
};

void hvx_hash_enter(struct hvx_hash *hash, struct kvm_vcpu *vcpu);
void hvx_hash_leave(struct hvx_hash *hash, struct kvm_vcpu *vcpu);

/* state.c */
int hvx_state_ioctl(struct hvx_vm *vm, void __user *argp);

/* caps.c */
int hvx_caps_install(void);
int hvx_caps_check(void);
void hvx_caps_remove(void);
struct file *hvx_kvm_open(void);

/* reset.c */
int hvx_reset_install(void);
void hvx_reset_remove(void);

/* debugfs.c */
void hvx_debugfs_create(struct hvx_vm *vm);

#endif /* KVM_HV_EXT_OPS_H */
