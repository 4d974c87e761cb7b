// SPDX-License-Identifier: GPL-2.0
/*
 * What the module keeps for each VM: one structure, with those of all rooms.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

struct hvx_vm_rooms {
	struct hvx_vm vm;
	struct hvx_memory memory;
	struct hvx_resizer resizer;
	struct hvx_stop stop;
};

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
	struct hvx_vm_rooms *rooms;
	struct hvx_vm *vm;
	int ret;

	if (!try_module_get(THIS_MODULE))
		return ERR_PTR(-ENOENT);
	ret = -ENOMEM;
	rooms = kzalloc(sizeof(*rooms), GFP_KERNEL_ACCOUNT);
	if (!rooms)
		goto err;
	vm = &rooms->vm;
	vm->kvm = kvm;
	vm->memory = &rooms->memory;
	vm->resizer = &rooms->resizer;
	vm->stop = &rooms->stop;
	hvx_gate_init(&vm->gate);
	hvx_intercept_init(&vm->intercept, kvm, &vm->gate);
	hvx_memory_init(vm->memory, vm);
	hvx_resizer_init(vm->resizer, vm);
	hvx_stop_init(vm->stop);

	ret = hvx_vm_add(vm);
	if (!ret)
		return vm;
	kfree(rooms);
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
	struct hvx_vm_rooms *rooms = container_of(vm, struct hvx_vm_rooms, vm);

	hvx_vm_remove(vm);
	kfree_rcu(rooms, vm.rcu);

	/*
	 * Perhaps the last reference, from code that goes away with it:
	 * hvx_exit() waits for this thread to get back to KVM.
	 */
	module_put(THIS_MODULE);
}
