/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest stop: a guest that may execute the stop instruction (Power ISA v3.0B
 * Book III, 3.3.2) to wait for an interrupt.
 */
#ifndef KVM_HV_EXT_STOP_H
#define KVM_HV_EXT_STOP_H

#include <linux/atomic.h>
#include <linux/types.h>

struct dentry;
struct hvx_vm;
struct kvm_vcpu;

struct hvx_stop {
	atomic_t modes;		/* KVM_PPC_GUEST_STOP_*, HVX_STOP_SEALED, _NESTED */
	atomic64_t emulated;	/* stops completed here */
};

/* stop.c */
int hvx_stop_parse(const char *word);
void hvx_stop_init(struct hvx_stop *stop);
long hvx_stop_host_modes(void);
long hvx_stop_enable(struct hvx_vm *vm, u64 modes);
u32 hvx_stop_get(struct hvx_vm *vm);
void hvx_stop_nested(struct hvx_vm *vm);
void hvx_stop_seal(struct hvx_vm *vm);
void hvx_stop_vcpu_load(struct hvx_vm *vm, struct kvm_vcpu *vcpu);
bool hvx_stop_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu);
bool hvx_stop_emulate(struct hvx_vm *vm, struct kvm_vcpu *vcpu, int vec);
void hvx_stop_debugfs(struct hvx_vm *vm, struct dentry *dir);

/* Of a kernel with kvm-hv/patches; no other has it, so it is asked for by name. */
extern const bool kvmppc_nmi_asks_guest_first;

/* stop_cpu.c */
void hvx_stop_cpu_init(void);
bool hvx_stop_cpu_native(void);
void hvx_stop_load(struct kvm_vcpu *vcpu, bool native);
void hvx_stop_load_off(void);
void hvx_stop_trap_vm(struct kvm *kvm);
void hvx_stop_keep_dec(struct kvm_vcpu *vcpu);
void hvx_stop_put(struct kvm_vcpu *vcpu);

#endif /* KVM_HV_EXT_STOP_H */
