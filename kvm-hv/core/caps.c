// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CHECK_EXTENSION and KVM_ENABLE_CAP for capabilities of ours.
 *
 * KVM serves these two in plain functions, so they are probed. The entry handler
 * lets every number that is not ours pass without a return probe; the function
 * itself answers ours with "unknown", which the return handler replaces.
 * Handlers must not sleep: they check and set, what sleeps comes later.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/major.h>
#include <linux/miscdevice.h>
#include <linux/ratelimit.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/ops.h"

struct hvx_cap_call {
	long ret;		/* what to answer, for a capability of ours */
	struct hvx_vm *vm;	/* for KVM_CAP_PPC_ENABLE_HCALL */
	unsigned long hcall;
	bool enable;
};

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
		return kvm ? hvx_balloon_holders(hvx_vm_find(kvm)) : 1;
	}
	return 0;
}

static long hvx_enable_cap(struct kvm *kvm, const struct kvm_enable_cap *cap)
{
	struct hvx_vm *vm = hvx_vm_find(kvm);

	if (!vm || cap->flags)
		return -EINVAL;

	switch (cap->cap) {
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

static struct kretprobe hvx_check_probe, hvx_enable_probe;

static struct kretprobe *hvx_cap_probes[] = {
	&hvx_check_probe,
	&hvx_enable_probe,
};

/*
 * A call that a probe has missed got stock KVM's answer: "unknown". The probe itself
 * only counts these, so whoever comes by next tells.
 */
static void hvx_caps_missed(void)
{
	static atomic_t told;
	int i, old = atomic_read(&told), missed = 0;

	for (i = 0; i < ARRAY_SIZE(hvx_cap_probes); i++)
		missed += hvx_cap_probes[i]->nmissed +
			  hvx_cap_probes[i]->kp.nmissed;
	if (missed != old && atomic_cmpxchg(&told, old, missed) == old)
		pr_warn_ratelimited("%d calls of KVM's capability ioctls were missed and answered as if the module were not there\n",
				    missed);
}

static int hvx_check_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct hvx_cap_call *call = (void *)ri->data;
	unsigned long cap = regs->gpr[4];

	hvx_caps_missed();
	if (!hvx_cap_is_ours(cap))
		return 1;
	call->ret = hvx_check_extension((struct kvm *)regs->gpr[3], cap);
	return 0;
}

static int hvx_enable_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct hvx_cap_call *call = (void *)ri->data;
	const struct kvm_enable_cap *cap = (void *)regs->gpr[4];

	hvx_caps_missed();
	call->vm = NULL;
	if (cap->cap == KVM_CAP_PPC_ENABLE_HCALL) {
		call->vm = hvx_vm_find((struct kvm *)regs->gpr[3]);
		call->hcall = cap->args[0];
		call->enable = cap->args[1];
		return !call->vm;
	}
	if (!hvx_cap_is_ours(cap->cap))
		return 1;
	call->ret = hvx_enable_cap((struct kvm *)regs->gpr[3], cap);
	return 0;
}

static int hvx_check_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct hvx_cap_call *call = (void *)ri->data;

	regs_set_return_value(regs, call->ret);
	return 0;
}

static int hvx_enable_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct hvx_cap_call *call = (void *)ri->data;

	if (!call->vm)
		regs_set_return_value(regs, call->ret);
	else if (!regs_return_value(regs))
		hvx_intercept_enabled(&call->vm->intercept, call->hcall,
				      call->enable);
	return 0;
}

static struct kretprobe hvx_check_probe = {
	.kp.symbol_name = "kvm_vm_ioctl_check_extension",
	.entry_handler = hvx_check_entry,
	.handler = hvx_check_return,
	.data_size = sizeof(struct hvx_cap_call),
};

static struct kretprobe hvx_enable_probe = {
	.kp.symbol_name = "kvm_vm_ioctl_enable_cap",
	.entry_handler = hvx_enable_entry,
	.handler = hvx_enable_return,
	.data_size = sizeof(struct hvx_cap_call),
};

/**
 * hvx_caps_install() - start to answer for our capabilities
 *
 * Return: 0, or the error of the probes, with the reason in the log.
 */
int hvx_caps_install(void)
{
	int ret;

	/*
	 * More than can ask at a time; a missed probe would be a wrong answer. On a
	 * kernel that preempts a thread may stay inside for a while.
	 */
	hvx_check_probe.maxactive = max(512U, 16 * num_possible_cpus());
	hvx_enable_probe.maxactive = hvx_check_probe.maxactive;

	ret = register_kretprobes(hvx_cap_probes, ARRAY_SIZE(hvx_cap_probes));
	if (ret)
		pr_err("cannot probe KVM's capability ioctls (%d): is CONFIG_KPROBES on?\n",
		       ret);
	return ret;
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
	struct file *kvm = filp_open("/dev/kvm", O_RDWR, 0);
	long want = hvx_strategy_mask(), got;
	const struct inode *inode;

	if (IS_ERR(kvm))
		return 0;
	/* Or something else of that name. */
	inode = file_inode(kvm);
	if (!S_ISCHR(inode->i_mode) || imajor(inode) != MISC_MAJOR ||
	    iminor(inode) != KVM_MINOR || !kvm->f_op->unlocked_ioctl) {
		filp_close(kvm, NULL);
		return 0;
	}
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
 * Context: may sleep, until no handler runs.
 */
void hvx_caps_remove(void)
{
	hvx_caps_missed();
	unregister_kretprobes(hvx_cap_probes, ARRAY_SIZE(hvx_cap_probes));
}
