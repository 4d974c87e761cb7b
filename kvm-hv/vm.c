// SPDX-License-Identifier: GPL-2.0
/*
 * What the module keeps for each VM, found by the VM's address.
 *
 * An entry is there from init_vm to destroy_vm, and KVM calls nothing else for
 * a VM outside of that time, so a caller that has a VM may use what it finds
 * without a reference. RCU protects the walk, not the entry.
 */
#include <linux/err.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "vm.h"

static DEFINE_HASHTABLE(hvx_vms, 6);
static DEFINE_SPINLOCK(hvx_vms_lock);	/* protects changes to hvx_vms */

/**
 * hvx_vm_create() - start keeping state for a VM
 * @kvm: the VM, being created
 *
 * Takes a reference on the module, so that it stays while the VM lives.
 *
 * Context: may sleep.
 * Return: the state, or an error pointer: -ENOMEM, or -ENOENT while the module is
 * being unloaded.
 */
struct hvx_vm *hvx_vm_create(struct kvm *kvm)
{
	struct hvx_vm *vm;

	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENOENT);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm) {
		module_put(THIS_MODULE);
		return ERR_PTR(-ENOMEM);
	}
	vm->kvm = kvm;
	hvx_gate_init(&vm->gate);
	hvx_resizer_init(&vm->resizer);
	hvx_stop_init(vm);
	hvx_limit_init(&vm->limit);
	hvx_balloon_init(&vm->balloon);

	spin_lock(&hvx_vms_lock);
	hash_add_rcu(hvx_vms, &vm->node, (unsigned long)kvm);
	spin_unlock(&hvx_vms_lock);
	return vm;
}

/**
 * hvx_vm_destroy() - forget a VM
 * @vm: its state, with nothing under way in it; freed
 *
 * Context: any.
 */
void hvx_vm_destroy(struct hvx_vm *vm)
{
	spin_lock(&hvx_vms_lock);
	hash_del_rcu(&vm->node);
	spin_unlock(&hvx_vms_lock);
	kfree_rcu(vm, rcu);

	/*
	 * Perhaps the last reference, from code that goes away with it:
	 * hvx_exit() waits for this thread to get back to KVM.
	 */
	module_put(THIS_MODULE);
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
	struct hvx_vm *vm;

	rcu_read_lock();
	hash_for_each_possible_rcu(hvx_vms, vm, node, (unsigned long)kvm) {
		if (vm->kvm == kvm) {
			rcu_read_unlock();
			return vm;
		}
	}
	rcu_read_unlock();
	return NULL;
}
