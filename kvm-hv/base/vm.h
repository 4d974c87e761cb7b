/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM, as all rooms know it.
 *
 * What a room keeps for a VM is a structure of the room's own, which nobody else has to
 * know to have a VM: so it is named here by a pointer only. core/vm.c makes all of them.
 *
 * The locks that a VM has, outermost first; their data is named where they are declared.
 * Those marked with * are KVM's or the mm's.
 *
 *  memory->limit.hold_lock, memory->vfio.lock
 *  resizer->hpt_lock
 *  kvm->slots_lock *
 *  resizer->lock
 *  (the gate is closed: one closer at a time, who holds resizer->lock)
 *  kvm->arch.mmu_setup_lock *
 *  memory->watch.begin_lock; not in resizer->lock, nor with the gate closed
 *  mm->mmap_lock *
 *  kvm->mmu_lock *
 *  memory->limit.lock
 *  gate.lock, intercept.lock, memory->holders.lock, memory->watch.lock; one at a time
 *
 * The last two lines are spin locks. KVM waits for kvm->srcu in slots_lock, so who has it
 * for reading takes only mmap_lock and what follows it.
 *
 * The thread of the harvest and the worker that frees tables take none of the mutexes:
 * they are waited for with any of these held.
 */
#ifndef KVM_HV_EXT_VM_H
#define KVM_HV_EXT_VM_H

#include <linux/kvm_host.h>
#include <linux/rhashtable-types.h>

#include "base/gate.h"
#include "base/intercept.h"

struct hvx_memory;
struct hvx_resizer;
struct hvx_stop;

struct hvx_vm {
	struct kvm *kvm;
	struct rhash_head node;
	struct rcu_head rcu;

	struct hvx_gate gate;
	struct hvx_intercept intercept;

	struct hvx_memory *memory;
	struct hvx_resizer *resizer;
	struct hvx_stop *stop;
};

int hvx_vms_init(void);
void hvx_vms_exit(void);
int hvx_vm_add(struct hvx_vm *vm);
void hvx_vm_remove(struct hvx_vm *vm);
struct hvx_vm *hvx_vm_find(struct kvm *kvm);

#endif /* KVM_HV_EXT_VM_H */
