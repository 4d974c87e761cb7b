/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module keeps for each VM.
 */
#ifndef KVM_HV_EXT_VM_H
#define KVM_HV_EXT_VM_H

#include <linux/kvm_host.h>
#include <linux/rhashtable-types.h>

#include "memory/balloon.h"
#include "core/gate.h"
#include "core/intercept.h"
#include "memory/limit.h"
#include "resize/resize.h"
#include "stop/stop.h"

struct hvx_vm {
	struct kvm *kvm;
	struct rhash_head node;
	struct rcu_head rcu;

	struct hvx_gate gate;
	struct hvx_intercept intercept;
	struct hvx_resizer resizer;
	struct hvx_stop stop;
	struct hvx_limit limit;
	struct hvx_balloon balloon;
};

int hvx_vms_init(void);
void hvx_vms_exit(void);
struct hvx_vm *hvx_vm_create(struct kvm *kvm);
void hvx_vm_destroy(struct hvx_vm *vm);
struct hvx_vm *hvx_vm_find(struct kvm *kvm);

#endif /* KVM_HV_EXT_VM_H */
