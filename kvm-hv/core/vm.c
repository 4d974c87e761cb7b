// SPDX-License-Identifier: GPL-2.0
/*
 * What the module keeps for each VM, found by the VM's address.
 *
 * An entry is there from init_vm to destroy_vm, and KVM calls nothing else for
 * a VM outside of that time, so a caller that has a VM may use what it finds
 * without a reference. RCU protects the walk, not the entry.
 *
 * The search is part of each load of a vCPU, so the table grows with the number
 * of VMs: one user's many would slow down everybody's context switches.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "core/vm.h"

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
 * hvx_vm_create() - start keeping state for a VM
 * @kvm: the VM, being created
 *
 * Takes a reference on the module, so that it stays while the VM lives.
 *
 * Context: may sleep.
 * Return: the state, or an error pointer: -ENOENT while the module is being
 * unloaded, another if there is no memory for one more.
 */
struct hvx_vm *hvx_vm_create(struct kvm *kvm)
{
	struct hvx_vm *vm;
	int ret;

	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENOENT);
	ret = -ENOMEM;
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		goto err;
	vm->kvm = kvm;
	ret = hvx_intercept_init(&vm->intercept, kvm);
	if (ret)
		goto err_free;
	hvx_gate_init(&vm->gate);
	hvx_resizer_init(&vm->resizer);
	hvx_stop_init(vm);
	hvx_limit_init(&vm->limit);
	hvx_balloon_init(&vm->balloon);

	ret = rhashtable_insert_fast(&hvx_vms, &vm->node, hvx_vms_params);
	if (!ret)
		return vm;
	hvx_intercept_destroy(&vm->intercept);
err_free:
	kfree(vm);
err:
	module_put(THIS_MODULE);
	return ERR_PTR(ret);
}

/**
 * hvx_vm_destroy() - forget a VM
 * @vm: its state, with nothing under way in it; freed
 *
 * Context: may sleep.
 */
void hvx_vm_destroy(struct hvx_vm *vm)
{
	rhashtable_remove_fast(&hvx_vms, &vm->node, hvx_vms_params);
	hvx_intercept_destroy(&vm->intercept);
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
	return rhashtable_lookup_fast(&hvx_vms, &kvm, hvx_vms_params);
}
