/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam to KVM HV: which of its operations are extended, and by what.
 */
#ifndef KVM_HV_EXT_OPS_H
#define KVM_HV_EXT_OPS_H

#include <linux/kvm_host.h>

#include "core/vm.h"

/* Stock KVM HV's operations, as they were before the module came. */
extern struct kvmppc_ops hvx_stock;

int hvx_ops_install(void);
void hvx_ops_remove(void);

/* run.c */
extern struct hvx_gate hvx_foreign_gate;
int hvx_vcpu_run(struct kvm_vcpu *vcpu);

/* hcall.c */
bool hvx_resize_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu);
bool hvx_resize_hcall_known(unsigned long hcall);

/* state.c */
int hvx_state_ioctl(struct hvx_vm *vm, void __user *argp);

/* caps.c */
int hvx_caps_install(void);
int hvx_caps_check(void);
void hvx_caps_remove(void);

/* vfio.c */
void hvx_vfio_install(void);
void hvx_vfio_remove(void);

/* debugfs.c */
void hvx_debugfs_create(struct hvx_vm *vm);

#endif /* KVM_HV_EXT_OPS_H */
