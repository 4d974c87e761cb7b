// SPDX-License-Identifier: GPL-2.0
/*
 * A device that is assigned to a VM by VFIO works on the pages that were there when
 * they were mapped for it, so the VM's memory has to stay (balloon.c).
 *
 * KVM is told of such devices as files of a pseudo device, in plain functions. There is
 * a detour around them, as around the capabilities', but not insisted on: a kernel that
 * has no VFIO, or calls the functions something else, gets by without.
 *
 * KVM's own function is called from ours by the pointer that KVM calls it by. That call
 * meets the probe again, which knows it by the thread.
 */
#include <linux/kvm_host.h>
#include <linux/mutex.h>

#include "base/base.h"
#include "memory/memory.h"

static bool hvx_vfio_attr_wants(unsigned long arg0, unsigned long arg1)
{
	const struct kvm_device *dev = (void *)arg0;
	const struct kvm_device_attr *attr = (void *)arg1;
	struct hvx_vm *vm;

	if (attr->group != KVM_DEV_VFIO_GROUP ||
	    (attr->attr != KVM_DEV_VFIO_GROUP_ADD &&
	     attr->attr != KVM_DEV_VFIO_GROUP_DEL))
		return false;
	vm = hvx_vm_find(dev->kvm);
	return vm && READ_ONCE(vm->memory->vfio.setter) != current;
}

/* A file is added or removed. Before it is added memory has to stay already. */
static long hvx_vfio_set_attr(struct kvm_device *dev, struct kvm_device_attr *attr)
{
	struct hvx_vm *vm = hvx_vm_find(dev->kvm);
	struct hvx_vfio *vfio = &vm->memory->vfio;
	bool add = attr->attr == KVM_DEV_VFIO_GROUP_ADD;
	int ret;

	/* KVM's function reads memory of the VMM's, which may take for ever. */
	if (mutex_lock_killable(&vfio->lock))
		return -EINTR;
	if (add)
		hvx_balloon_get(vm, HVX_HOLDER_VFIO);
	WRITE_ONCE(vfio->setter, current);
	ret = dev->ops->set_attr(dev, attr);
	WRITE_ONCE(vfio->setter, NULL);
	/* Not added after all, or removed. */
	if (add == !!ret)
		hvx_balloon_put(vm, HVX_HOLDER_VFIO);
	mutex_unlock(&vfio->lock);
	return ret;
}

static bool hvx_vfio_release_wants(unsigned long arg0, unsigned long arg1)
{
	const struct kvm_device *dev = (void *)arg0;
	struct hvx_vm *vm = hvx_vm_find(dev->kvm);

	return vm && READ_ONCE(vm->memory->vfio.releaser) != current;
}

/* The pseudo device is closed, and all its files with it; kvm->lock is held. */
static void hvx_vfio_release(struct kvm_device *dev)
{
	struct hvx_vm *vm = hvx_vm_find(dev->kvm);
	struct hvx_vfio *vfio = &vm->memory->vfio;

	WRITE_ONCE(vfio->releaser, current);
	dev->ops->release(dev);
	WRITE_ONCE(vfio->releaser, NULL);
	hvx_balloon_put_all(vm, HVX_HOLDER_VFIO);
}

static struct hvx_detour hvx_vfio_attr_detour = {
	.wants = hvx_vfio_attr_wants,
	.function = hvx_vfio_set_attr,
};

static struct hvx_detour hvx_vfio_release_detour = {
	.wants = hvx_vfio_release_wants,
	.function = hvx_vfio_release,
};

/**
 * hvx_vfio_install() - start to notice devices that are assigned
 *
 * Context: may sleep.
 */
void hvx_vfio_install(void)
{
	if (hvx_detour_install(&hvx_vfio_attr_detour, "kvm_vfio_set_attr"))
		pr_info("assigned devices will not inhibit ballooning: no kvm_vfio_set_attr() to probe\n");
	/* Older kernels keep the files until the VM goes. */
	hvx_detour_install(&hvx_vfio_release_detour, "kvm_vfio_release");
}

/**
 * hvx_vfio_remove() - stop noticing
 *
 * Context: may sleep.
 */
void hvx_vfio_remove(void)
{
	hvx_detour_remove(&hvx_vfio_release_detour);
	hvx_detour_remove(&hvx_vfio_attr_detour);
}
