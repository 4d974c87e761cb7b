// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CHECK_EXTENSION and KVM_ENABLE_CAP for capabilities of ours.
 *
 * KVM serves these two in plain functions, so there is a detour around each. KVM never
 * sees a number that is ours. It sees all others but KVM_CAP_PPC_ENABLE_HCALL for an
 * hcall that may be intercepted.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/major.h>
#include <linux/miscdevice.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

static long hvx_check_extension(struct kvm *kvm, unsigned long cap)
{
	/* Asked of a VM that is older than the module: it gets nothing. */
	if (kvm && !hvx_vm_find(kvm))
		return 0;

	switch (cap) {
	case KVM_CAP_PPC_HV_EXT:
		return KVM_PPC_HV_EXT_RESIZE | KVM_PPC_HV_EXT_RESIZE_HCALL |
		       (hvx_stop_host_modes() ? KVM_PPC_HV_EXT_GUEST_STOP : 0) |
		       KVM_PPC_HV_EXT_MAX_PAGE_SHIFT |
		       KVM_PPC_HV_EXT_BALLOON_INHIBIT |
		       KVM_PPC_HV_EXT_CHECK_MEMORY |
		       KVM_PPC_HV_EXT_STATE_GET;
	case KVM_CAP_PPC_HPT_RESIZE:
		return hvx_strategy_mask();
	case KVM_CAP_PPC_GUEST_STOP:
		return hvx_stop_host_modes();
	case KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT:
		return hvx_limit_host_shift();
	case KVM_CAP_PPC_BALLOON_INHIBIT:
		return kvm ? hvx_holders_total(&hvx_vm_find(kvm)->memory->holders) : 1;
	}
	return 0;
}

static long hvx_enable_hcall(struct hvx_vm *vm, unsigned long hcall, u64 enable)
{
	if (enable > 1)
		return -EINVAL;
	hvx_intercept_enable(&vm->intercept, hcall, enable);
	return 0;
}

static long hvx_enable_cap(struct kvm *kvm, const struct kvm_enable_cap *cap)
{
	struct hvx_vm *vm = hvx_vm_find(kvm);

	if (!vm || cap->flags)
		return -EINVAL;

	switch (cap->cap) {
	case KVM_CAP_PPC_ENABLE_HCALL:
		return hvx_enable_hcall(vm, cap->args[0], cap->args[1]);
	case KVM_CAP_PPC_HPT_RESIZE:
		return hvx_strategy_choose(vm, cap->args[0]);
	case KVM_CAP_PPC_GUEST_STOP:
		return hvx_stop_enable(vm, cap->args[0]);
	case KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT:
		return hvx_limit_set(vm, cap->args[0], cap->args[1]);
	}
	return -EINVAL;
}

static bool hvx_cap_is_ours(unsigned long cap)
{
	return cap >= KVM_CAP_PPC_HV_EXT && cap <= KVM_CAP_PPC_BALLOON_INHIBIT;
}

static bool hvx_check_wants(unsigned long kvm, unsigned long cap)
{
	return hvx_cap_is_ours(cap);
}

static bool hvx_enable_wants(unsigned long kvm, unsigned long arg1)
{
	const struct kvm_enable_cap *cap = (void *)arg1;

	/*
	 * KVM asks hvx_hcall_implemented(), which has no VM. A VM that is older than the
	 * module is not served, and gets -EINVAL.
	 */
	if (cap->cap == KVM_CAP_PPC_ENABLE_HCALL)
		return hvx_vm_find((struct kvm *)kvm) ?
		       hvx_intercept_known(cap->args[0]) :
		       hvx_resize_hcall_known(cap->args[0]);
	return hvx_cap_is_ours(cap->cap);
}

static struct hvx_detour hvx_check_detour = {
	.wants = hvx_check_wants,
	.function = hvx_check_extension,
};

static struct hvx_detour hvx_enable_detour = {
	.wants = hvx_enable_wants,
	.function = hvx_enable_cap,
};

/**
 * hvx_caps_install() - start to answer for our capabilities
 *
 * Context: may sleep.
 * Return: 0, or the error of the probes, with the reason in the log.
 */
int hvx_caps_install(void)
{
	int ret;

	ret = hvx_detour_install(&hvx_check_detour, "kvm_vm_ioctl_check_extension");
	if (!ret)
		ret = hvx_detour_install(&hvx_enable_detour,
					 "kvm_vm_ioctl_enable_cap");
	if (ret) {
		hvx_caps_remove();
		pr_err("cannot probe KVM's capability ioctls (%d): is CONFIG_KPROBES on?\n",
		       ret);
	}
	return ret;
}

/**
 * hvx_kvm_open() - open /dev/kvm
 *
 * Context: may sleep.
 * Return: the file, or an error pointer: -ENODEV if something else has that name.
 */
struct file *hvx_kvm_open(void)
{
	struct file *kvm = filp_open("/dev/kvm", O_RDWR, 0);
	const struct inode *inode;

	if (IS_ERR(kvm))
		return kvm;
	inode = file_inode(kvm);
	if (S_ISCHR(inode->i_mode) && imajor(inode) == MISC_MAJOR &&
	    iminor(inode) == KVM_MINOR && kvm->f_op->unlocked_ioctl)
		return kvm;
	filp_close(kvm, NULL);
	return ERR_PTR(-ENODEV);
}

/**
 * hvx_caps_check() - whether KVM's ioctl comes to us, and our answer out of it
 *
 * Asked as a VMM does. The probe on the other ioctl is of the same kind, and its
 * function takes its arguments in the same way.
 *
 * Context: may sleep.
 * Return: 0 if so or if there is no /dev/kvm to ask, -EOPNOTSUPP if not, with the
 * reason in the log.
 */
int hvx_caps_check(void)
{
	long want = hvx_strategy_mask(), got;
	struct file *kvm = hvx_kvm_open();

	if (IS_ERR(kvm))
		return 0;
	got = kvm->f_op->unlocked_ioctl(kvm, KVM_CHECK_EXTENSION,
					KVM_CAP_PPC_HPT_RESIZE);
	filp_close(kvm, NULL);
	if (got == want)
		return 0;
	pr_err("KVM_CHECK_EXTENSION answers %ld and not %ld: this kernel does not call kvm_vm_ioctl_check_extension() as expected\n",
	       got, want);
	return -EOPNOTSUPP;
}

/**
 * hvx_caps_remove() - stop answering
 *
 * Context: may sleep, until no thread is on its way into a function of ours or out.
 */
void hvx_caps_remove(void)
{
	hvx_detour_remove(&hvx_enable_detour);
	hvx_detour_remove(&hvx_check_detour);
	/* For these, and for vfio.c's, which are removed before. */
	synchronize_rcu_tasks();
}
