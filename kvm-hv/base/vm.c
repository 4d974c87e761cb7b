// SPDX-License-Identifier: GPL-2.0
/*
 * The VMs of ours, found by their address.
 *
 * An entry is there from init_vm to destroy_vm, and KVM calls nothing else for
 * a VM outside of that time, so a caller that has a VM may use what it finds
 * without a reference. RCU protects the walk, not the entry.
 *
 * The search is part of each load of a vCPU, so the table grows with the number
 * of VMs: one user's many would slow down everybody's context switches.
 */
#include <linux/rhashtable.h>

#include "base/vm.h"

static const struct rhashtable_params hvx_vms_params = {
	.key_len = sizeof_field(struct hvx_vm, kvm),
	.key_offset = offsetof(struct hvx_vm, kvm),
	.head_offset = offsetof(struct hvx_vm, node),
	.automatic_shrinking = true,
};

static struct rhashtable hvx_vms;

/**
 * hvx_vms_init() - be ready for VMs
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvx_vms_init(void)
{
	return rhashtable_init(&hvx_vms, &hvx_vms_params);
}

/**
 * hvx_vms_exit() - the opposite, when there are no VMs and nobody looks for one
 *
 * Context: may sleep.
 */
void hvx_vms_exit(void)
{
	rhashtable_destroy(&hvx_vms);
}

/**
 * hvx_vm_add() - have a VM found from now on
 * @vm: the VM, complete
 *
 * Context: may sleep.
 * Return: 0, or an error if there is no memory for one more.
 */
int hvx_vm_add(struct hvx_vm *vm)
{
	return rhashtable_insert_fast(&hvx_vms, &vm->node, hvx_vms_params);
}

/**
 * hvx_vm_remove() - have it found no more
 * @vm: the VM, whose structure stays for a grace period of RCU
 *
 * Context: any.
 */
void hvx_vm_remove(struct hvx_vm *vm)
{
	rhashtable_remove_fast(&hvx_vms, &vm->node, hvx_vms_params);
}

/**
 * hvx_vm_find() - the state of a VM
 * @kvm: a VM that is not yet destroyed
 *
 * Context: any.
 * Return: the state, or NULL for a VM older than the module.
 */
struct hvx_vm *hvx_vm_find(struct kvm *kvm)
{
	return rhashtable_lookup_fast(&hvx_vms, &kvm, hvx_vms_params);
}
