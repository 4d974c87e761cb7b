// SPDX-License-Identifier: GPL-2.0
/*
 * A device that is assigned to a VM by VFIO works on the pages that were there
 * when they were mapped for it, so the VM's memory has to stay (balloon.c).
 *
 * KVM is told of such devices as files of a pseudo device, in a plain function
 * without a seam. It is probed, as the capabilities are, but not insisted on: a
 * kernel that has no VFIO, or calls the function something else, gets by without.
 */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>

#include "core/ops.h"

/* A file that is added or removed. */
struct hvx_vfio_call {
	struct hvx_vm *vm;
	bool add;
};

/* At the entry of kvm_vfio_set_attr(): false if it is not about that. */
static bool hvx_vfio_about(const struct pt_regs *regs,
			   struct hvx_vfio_call *call)
{
	const struct kvm_device *dev = (void *)regs->gpr[3];
	const struct kvm_device_attr *attr = (void *)regs->gpr[4];

	if (attr->group != KVM_DEV_VFIO_GROUP ||
	    (attr->attr != KVM_DEV_VFIO_GROUP_ADD &&
	     attr->attr != KVM_DEV_VFIO_GROUP_DEL))
		return false;
	call->vm = hvx_vm_find(dev->kvm);
	call->add = attr->attr == KVM_DEV_VFIO_GROUP_ADD;
	return call->vm;
}

static int hvx_vfio_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return hvx_vfio_about(regs, (void *)ri->data) ? 0 : 1;
}

/*
 * A file that may be about to be added. Held already here, in a plain probe, which
 * never fails: the instances of the other one can be used up, by VMMs that sleep in
 * this function. Who is missed then holds for too long, not too short.
 */
static int hvx_vfio_adding(struct kprobe *kp, struct pt_regs *regs)
{
	struct hvx_vfio_call call;

	if (hvx_vfio_about(regs, &call) && call.add)
		hvx_balloon_get_atomic(call.vm, HVX_HOLDER_VFIO);
	return 0;
}

static struct kprobe hvx_vfio_adding_probe = {
	.symbol_name = "kvm_vfio_set_attr",
	.pre_handler = hvx_vfio_adding,
};

static int hvx_vfio_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct hvx_vfio_call *call = (void *)ri->data;
	bool failed = (int)regs_return_value(regs);

	/* Not added after all, or no longer there. */
	if (call->add == failed)
		hvx_balloon_put(call->vm, HVX_HOLDER_VFIO);
	return 0;
}

static struct kretprobe hvx_vfio_probe = {
	.kp.symbol_name = "kvm_vfio_set_attr",
	.entry_handler = hvx_vfio_entry,
	.handler = hvx_vfio_return,
	.data_size = sizeof(struct hvx_vfio_call),
};

/* The pseudo device is closed, and all its files with it. */
static int hvx_vfio_released(struct kprobe *kp, struct pt_regs *regs)
{
	const struct kvm_device *dev = (void *)regs->gpr[3];
	struct hvx_vm *vm = hvx_vm_find(dev->kvm);

	if (vm)
		hvx_balloon_put_all(vm, HVX_HOLDER_VFIO);
	return 0;
}

static struct kprobe hvx_vfio_release_probe = {
	.symbol_name = "kvm_vfio_release",
	.pre_handler = hvx_vfio_released,
};

static bool hvx_vfio_probed, hvx_vfio_adding_probed, hvx_vfio_release_probed;

/**
 * hvx_vfio_install() - start to notice devices that are assigned
 *
 * Context: may sleep.
 */
void hvx_vfio_install(void)
{
	hvx_vfio_probe.maxactive = 4 * num_possible_cpus();
	/* A hold that is not let go on failure is no use, so that probe comes first. */
	hvx_vfio_probed = !register_kretprobe(&hvx_vfio_probe);
	if (hvx_vfio_probed)
		hvx_vfio_adding_probed = !register_kprobe(&hvx_vfio_adding_probe);
	if (!hvx_vfio_adding_probed)
		pr_info("assigned devices will not inhibit ballooning: no kvm_vfio_set_attr() to probe\n");
	/* Older kernels keep the files until the VM goes. */
	hvx_vfio_release_probed = !register_kprobe(&hvx_vfio_release_probe);
}

/**
 * hvx_vfio_remove() - stop noticing
 *
 * Context: may sleep.
 */
void hvx_vfio_remove(void)
{
	if (hvx_vfio_release_probed)
		unregister_kprobe(&hvx_vfio_release_probe);
	if (hvx_vfio_adding_probed)
		unregister_kprobe(&hvx_vfio_adding_probe);
	if (hvx_vfio_probed)
		unregister_kretprobe(&hvx_vfio_probe);
}
