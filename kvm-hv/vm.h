/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module keeps for each VM.
 */
#ifndef KVM_HV_EXT_VM_H
#define KVM_HV_EXT_VM_H

#include <linux/kvm_host.h>

#include "balloon.h"
#include "gate.h"
#include "limit.h"
#include "resize.h"
#include "stop.h"

struct hvx_vm {
	struct kvm *kvm;
	struct hlist_node node;
	struct rcu_head rcu;

	struct hvx_gate gate;
	struct hvx_resizer resizer;
	struct hvx_stop stop;
	struct hvx_limit limit;
	struct hvx_balloon balloon;
};

struct hvx_vm *hvx_vm_create(struct kvm *kvm);
void hvx_vm_destroy(struct hvx_vm *vm);
struct hvx_vm *hvx_vm_find(struct kvm *kvm);

#endif /* KVM_HV_EXT_VM_H */
