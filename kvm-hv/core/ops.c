// SPDX-License-Identifier: GPL-2.0
/*
 * The seam to KVM HV: which of its operations are extended, and by what.
 *
 * KVM asks is_kvmppc_hv_enabled() by comparing a VM's pointer to its operations
 * with kvmppc_hv_ops. Pointing kvmppc_hv_ops at a table of ours would make every
 * VM that runs already look like a PR one; on POWER8 that loses interrupts, as
 * hcalls of the in-kernel XICS that were begun in real mode would be done again
 * instead of completed. So the table stays where it is and members of it are
 * exchanged.
 *
 * That makes all VMs come through here. One that is older than the module has no
 * state of ours and is passed on to the stock function.
 */
#include <linux/kallsyms.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/compat.h"
#include "core/ops.h"

struct kvmppc_ops hvx_stock;

/* Held over every call that comes in here, so that unloading can wait for it. */
DEFINE_STATIC_SRCU(hvx_calls);

static int hvx_init_vm(struct kvm *kvm)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_create(kvm);
	int ret = PTR_ERR_OR_ZERO(vm);

	/* While the module goes, a VM is what it would be a moment later. */
	if (!ret || ret == -ENOENT)
		ret = hvx_stock.init_vm(kvm);
	if (ret && !IS_ERR(vm))
		hvx_vm_destroy(vm);
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static void hvx_destroy_vm(struct kvm *kvm)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);

	if (vm) {
		hvx_resizer_destroy(vm);
		hvx_balloon_destroy(vm);
		hvx_hpt_absent(kvm);
	}
	hvx_stock.destroy_vm(kvm);
	if (vm)
		hvx_vm_destroy(vm);
	srcu_read_unlock(&hvx_calls, idx);
}

static int hvx_create_vm_debugfs(struct kvm *kvm)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret;

	if (vm)
		hvx_debugfs_create(vm);
	ret = hvx_stock.create_vm_debugfs(kvm);
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

/*
 * A change of memslots ends a resize, for its reverse maps are made for the
 * memslots there were, and waits for a harvest, which uses the dirty bitmaps.
 */
static int hvx_prepare_memory_region(struct kvm *kvm,
				     const struct kvm_memory_slot *old,
				     struct kvm_memory_slot *new,
				     enum kvm_mr_change change)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret = 0;

	if (vm)
		ret = hvx_limit_memslot(vm, new, change);
	if (ret)
		goto out;
	if (vm) {
		hvx_resize_cancel(vm, HVX_CANCEL_MEMSLOT);
		hvx_harvest_wait(vm);
	}
	ret = hvx_stock.prepare_memory_region(kvm, old, new, change);
out:
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

/*
 * What exports, empties or replaces the table is kept apart from COMMIT, and
 * finds no old table with bits in it that belong to the new one.
 */
static void hvx_hpt_freeze(struct hvx_vm *vm)
{
	if (!vm)
		return;
	mutex_lock(&vm->resizer.hpt_lock);
	hvx_harvest_wait(vm);
}

static void hvx_hpt_thaw(struct hvx_vm *vm)
{
	if (vm)
		mutex_unlock(&vm->resizer.hpt_lock);
}

static int hvx_get_dirty_log(struct kvm *kvm, struct kvm_dirty_log *log)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret;

	hvx_hpt_freeze(vm);
	ret = hvx_stock.get_dirty_log(kvm, log);
	hvx_hpt_thaw(vm);
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static int hvx_configure_mmu(struct kvm *kvm, struct kvm_ppc_mmuv3_cfg *cfg)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret;

	hvx_hpt_freeze(vm);
	if (vm && (cfg->flags & KVM_PPC_MMUV3_RADIX))
		hvx_resize_end(vm, HVX_CANCEL_RADIX);
	if (vm)
		hvx_hpt_absent(kvm);
	ret = hvx_stock.configure_mmu(kvm, cfg);
	if (vm) {
		hvx_resize_allow(vm);
		hvx_limit_recheck(vm);
	}
	hvx_hpt_thaw(vm);
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static int hvx_resize_ioctl(struct hvx_vm *vm, unsigned int ioctl,
			    void __user *argp)
{
	struct kvm_ppc_resize_hpt rhpt;

	if (copy_from_user(&rhpt, argp, sizeof(rhpt)))
		return -EFAULT;
	if (ioctl == KVM_PPC_RESIZE_HPT_PREPARE)
		return hvx_resize_prepare(vm, rhpt.flags, rhpt.shift,
					  HVX_ROAD_IOCTL);
	return hvx_resize_commit(vm, rhpt.flags, rhpt.shift);
}

static HVX_IOCTL_RET hvx_arch_vm_ioctl(struct file *filp, unsigned int ioctl,
				       unsigned long arg)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(filp->private_data);
	HVX_IOCTL_RET ret;

	switch (vm ? ioctl : 0) {
	case KVM_PPC_RESIZE_HPT_PREPARE:
	case KVM_PPC_RESIZE_HPT_COMMIT:
		ret = hvx_resize_ioctl(vm, ioctl, (void __user *)arg);
		break;

	case KVM_PPC_BALLOON_INHIBIT:
		ret = hvx_balloon_ioctl(vm, filp, (void __user *)arg);
		break;

	case KVM_PPC_HV_EXT_STATE:
		ret = hvx_state_ioctl(vm, (void __user *)arg);
		break;

	case KVM_PPC_CHECK_MEMORY:
		ret = hvx_limit_ask_ioctl(vm, (void __user *)arg);
		break;

	case KVM_PPC_ALLOCATE_HTAB:
	case KVM_PPC_GET_HTAB_FD:
		hvx_hpt_freeze(vm);
		hvx_resize_end(vm, ioctl == KVM_PPC_ALLOCATE_HTAB ?
				   HVX_CANCEL_RESET : HVX_CANCEL_HTAB_FD);
		ret = hvx_stock.arch_vm_ioctl(filp, ioctl, arg);
		hvx_resize_allow(vm);
		/* A guest that is about to be moved may have lost a large page. */
		if (ioctl == KVM_PPC_ALLOCATE_HTAB)
			hvx_limit_recheck(vm);
		hvx_hpt_thaw(vm);
		break;

	default:
		ret = hvx_stock.arch_vm_ioctl(filp, ioctl, arg);
	}
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static int hvx_get_smmu_info(struct kvm *kvm, struct kvm_ppc_smmu_info *info)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret = hvx_stock.get_smmu_info(kvm, info);

	if (vm && !ret)
		hvx_limit_filter(vm, info);
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static int hvx_hcall_implemented(unsigned long hcall)
{
	return hvx_resize_hcall_known(hcall) ||
	       hvx_stock.hcall_implemented(hcall);
}

/* No vCPU may stop natively from when it can enter a guest of the guest. */
static int hvx_enable_nested(struct kvm *kvm)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = kvm ? hvx_vm_find(kvm) : NULL;
	/* Without a VM: whether it can be enabled at all. */
	int ret = hvx_stock.enable_nested(NULL);

	if (kvm && !ret) {
		if (vm)
			hvx_stop_nested(vm);
		ret = hvx_stock.enable_nested(kvm);
	}
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

/*
 * The three below do not sleep. The first two are called with preemption off, also by
 * the scheduler, after it has noted a sleep that is to come; the third by a vCPU's
 * thread that may be preempted. hvx_ops_remove() waits for all of them.
 */
static void hvx_vcpu_load(struct kvm_vcpu *vcpu, int cpu)
{
	struct hvx_vm *vm = hvx_vm_find(vcpu->kvm);

	hvx_stock.vcpu_load(vcpu, cpu);
	hvx_stop_vcpu_load(vm, vcpu);
}

static void hvx_vcpu_put(struct kvm_vcpu *vcpu)
{
	hvx_stop_put(vcpu);
	hvx_stock.vcpu_put(vcpu);
}

static void hvx_inject_interrupt(struct kvm_vcpu *vcpu, int vec, u64 srr1_flags)
{
	struct hvx_vm *vm = hvx_vm_find(vcpu->kvm);

	if (!vm || !hvx_stop_emulate(vm, vcpu, vec))
		hvx_stock.inject_interrupt(vcpu, vec, srr1_flags);
}

static const struct kvmppc_ops hvx_ops = {
	.init_vm = hvx_init_vm,
	.vcpu_run = hvx_vcpu_run,
	.vcpu_load = hvx_vcpu_load,
	.vcpu_put = hvx_vcpu_put,
	.inject_interrupt = hvx_inject_interrupt,
	.destroy_vm = hvx_destroy_vm,
	.create_vm_debugfs = hvx_create_vm_debugfs,
	.prepare_memory_region = hvx_prepare_memory_region,
	.get_dirty_log = hvx_get_dirty_log,
	.get_smmu_info = hvx_get_smmu_info,
	.configure_mmu = hvx_configure_mmu,
	.arch_vm_ioctl = hvx_arch_vm_ioctl,
	.hcall_implemented = hvx_hcall_implemented,
	.enable_nested = hvx_enable_nested,
};

/* Everything but init_vm. */
static void hvx_ops_set(const struct kvmppc_ops *ops)
{
	struct kvmppc_ops *live = kvmppc_hv_ops;

	WRITE_ONCE(live->vcpu_run, ops->vcpu_run);
	WRITE_ONCE(live->vcpu_load, ops->vcpu_load);
	WRITE_ONCE(live->vcpu_put, ops->vcpu_put);
	WRITE_ONCE(live->inject_interrupt, ops->inject_interrupt);
	WRITE_ONCE(live->destroy_vm, ops->destroy_vm);
	WRITE_ONCE(live->create_vm_debugfs, ops->create_vm_debugfs);
	WRITE_ONCE(live->prepare_memory_region, ops->prepare_memory_region);
	WRITE_ONCE(live->get_dirty_log, ops->get_dirty_log);
	WRITE_ONCE(live->get_smmu_info, ops->get_smmu_info);
	WRITE_ONCE(live->configure_mmu, ops->configure_mmu);
	WRITE_ONCE(live->arch_vm_ioctl, ops->arch_vm_ioctl);
	WRITE_ONCE(live->hcall_implemented, ops->hcall_implemented);
	WRITE_ONCE(live->enable_nested, ops->enable_nested);
}

/* In KVM HV, or else in the kernel itself: then its symbol has no "[module]". */
static bool hvx_function_is_stock(unsigned long function)
{
	char symbol[KSYM_SYMBOL_LEN];

	if (!function)
		return false;
	if (hvx_stock.owner && within_module(function, hvx_stock.owner))
		return true;
	sprint_symbol_no_offset(symbol, function);
	return !strchr(symbol, '[');
}

#define HVX_MEMBER(name)	{ #name, (unsigned long *)&hvx_stock.name }

/*
 * Whether the members that are exchanged are KVM HV's own functions: if another module
 * has exchanged one of them it would take it back from us, and leave us in part.
 */
static bool hvx_ops_are_stock(void)
{
	const struct {
		const char *name;
		unsigned long *function;
	} members[] = {
		HVX_MEMBER(init_vm), HVX_MEMBER(vcpu_run),
		HVX_MEMBER(vcpu_load), HVX_MEMBER(vcpu_put),
		HVX_MEMBER(inject_interrupt), HVX_MEMBER(destroy_vm),
		HVX_MEMBER(create_vm_debugfs),
		HVX_MEMBER(prepare_memory_region), HVX_MEMBER(get_dirty_log),
		HVX_MEMBER(get_smmu_info), HVX_MEMBER(configure_mmu),
		HVX_MEMBER(arch_vm_ioctl), HVX_MEMBER(hcall_implemented),
		HVX_MEMBER(enable_nested),
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(members); i++) {
		unsigned long function = *members[i].function;

		if (hvx_function_is_stock(function))
			continue;
		pr_err("KVM HV's %s is not its own function but %pS: another module has changed it\n",
		       members[i].name, (void *)function);
		return false;
	}
	return true;
}

/**
 * hvx_ops_install() - extend KVM HV
 *
 * init_vm goes in last and comes out first: a VM with state of ours has all of
 * the rest.
 *
 * Context: may sleep.
 * Return: 0, -ENODEV if there is no KVM HV to extend, or -EOPNOTSUPP, with the reason
 * in the log, if it is not as expected.
 */
int hvx_ops_install(void)
{
	if (!kvmppc_hv_ops || !try_module_get(kvmppc_hv_ops->owner))
		return -ENODEV;

	hvx_gate_init(&hvx_bystanders);
	hvx_stock = *kvmppc_hv_ops;
	if (!hvx_ops_are_stock()) {
		module_put(hvx_stock.owner);
		return -EOPNOTSUPP;
	}
	/* VMs that run already come in from now on: all CPUs are to see the above. */
	synchronize_rcu();
	hvx_ops_set(&hvx_ops);
	/* A VM that finds the new init_vm finds the rest as well. */
	smp_wmb();
	WRITE_ONCE(kvmppc_hv_ops->init_vm, hvx_ops.init_vm);
	return 0;
}

/**
 * hvx_ops_remove() - leave KVM HV as it was
 *
 * VMs of ours hold the module, so there are none. But threads may still be in
 * functions of ours, for a VM that is older than the module, or on the way back
 * to KVM after the end of a VM. A thread that has read a pointer of ours but not
 * yet announced itself, and one that has signed off but not yet returned, does
 * not sleep in between, so an RCU-tasks grace period sees it through: being
 * preempted, which it may be anywhere, does not count as sleeping there. Nor
 * does it miss those that the scheduler calls for a thread on its way to sleep: a
 * grace period of RCU is part of it, and they have preemption off. In between,
 * vCPU threads are at the gate, the others in the SRCU section.
 *
 * Context: may sleep.
 */
void hvx_ops_remove(void)
{
	WRITE_ONCE(kvmppc_hv_ops->init_vm, hvx_stock.init_vm);
	hvx_ops_set(&hvx_stock);

	synchronize_rcu_tasks();
	hvx_gate_kill(&hvx_bystanders);
	synchronize_srcu(&hvx_calls);
	synchronize_rcu_tasks();
	module_put(hvx_stock.owner);
}
