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
#include <linux/smp.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/node.h"
#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

/* How long vCPUs that can run have to come out, in jiffies. */
#define HVX_OUT_LONGEST	msecs_to_jiffies(50)

struct kvmppc_ops hvx_stock;

/* Held over every call that comes in here, so that unloading can wait for it. */
DEFINE_STATIC_SRCU(hvx_calls);

static int hvx_init_vm(struct kvm *kvm)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_create(kvm);
	int ret = PTR_ERR_OR_ZERO(vm);

	if (!ret)
		ret = hvx_node_vm(vm);
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
		hvx_memory_destroy(vm->memory);
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
 * Have every vCPU leave the guest once: who does so by an hcall finds it intercepted from
 * then on. A vCPU that does not come out of the gate in time is in the host, waiting for
 * a page. But not all need be in the host that were inside, so each CPU takes an
 * interrupt then, which it does with no guest on it.
 */
static void hvx_vcpus_out_once(struct hvx_vm *vm)
{
	int ret;

	mutex_lock(&vm->resizer->lock);
	ret = hvx_gate_close(&vm->gate, HVX_OUT_LONGEST);
	if (!ret)
		hvx_gate_open(&vm->gate);
	mutex_unlock(&vm->resizer->lock);
	if (ret)
		kick_all_cpus_sync();
}

/*
 * A change of memslots ends a resize, whose reverse maps are made for the old memslots.
 * It waits for a harvest, which uses the dirty bitmaps.
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
		hvx_harvest_wait(&vm->resizer->harvest);
		if (hvx_logging_prepare(vm, new))
			hvx_vcpus_out_once(vm);
	}
	ret = hvx_stock.prepare_memory_region(kvm, old, new, change);
	if (vm && ret)
		hvx_logging_abort(vm);
out:
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static void hvx_commit_memory_region(struct kvm *kvm,
				     struct kvm_memory_slot *old,
				     const struct kvm_memory_slot *new,
				     enum kvm_mr_change change)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);

	hvx_stock.commit_memory_region(kvm, old, new, change);
	if (vm)
		hvx_logging_commit(vm, old, new);
	srcu_read_unlock(&hvx_calls, idx);
}

/*
 * Whoever exports, empties or replaces the table takes the lock that COMMIT takes. He
 * waits for a harvest as well: until its end the old table has R and C of the new one's
 * entries.
 */
static void hvx_hpt_lock(struct hvx_vm *vm)
{
	if (!vm)
		return;
	mutex_lock(&vm->resizer->hpt_lock);
	hvx_harvest_wait(&vm->resizer->harvest);
}

static void hvx_hpt_unlock(struct hvx_vm *vm)
{
	if (vm)
		mutex_unlock(&vm->resizer->hpt_lock);
}

/* A memslot is about to go or to move; kvm->slots_lock is held. */
static void hvx_flush_memslot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);

	if (vm)
		hvx_resize_cancel(vm, HVX_CANCEL_MEMSLOT);
	hvx_stock.flush_memslot(kvm, slot);
	srcu_read_unlock(&hvx_calls, idx);
}

static int hvx_get_dirty_log(struct kvm *kvm, struct kvm_dirty_log *log)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret;

	hvx_hpt_lock(vm);
	ret = hvx_stock.get_dirty_log(kvm, log);
	hvx_hpt_unlock(vm);
	srcu_read_unlock(&hvx_calls, idx);
	return ret;
}

static int hvx_configure_mmu(struct kvm *kvm, struct kvm_ppc_mmuv3_cfg *cfg)
{
	int idx = srcu_read_lock(&hvx_calls);
	struct hvx_vm *vm = hvx_vm_find(kvm);
	int ret;

	hvx_hpt_lock(vm);
	if (vm && (cfg->flags & KVM_PPC_MMUV3_RADIX))
		hvx_resize_suspend(vm, HVX_CANCEL_RADIX);
	if (vm)
		hvx_hpt_absent(kvm);
	ret = hvx_stock.configure_mmu(kvm, cfg);
	if (vm) {
		hvx_resize_resume(vm);
		hvx_limit_recheck(vm);
	}
	hvx_hpt_unlock(vm);
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
					  HVX_ORIGIN_IOCTL);
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
		hvx_hpt_lock(vm);
		hvx_resize_suspend(vm, ioctl == KVM_PPC_ALLOCATE_HTAB ?
				       HVX_CANCEL_RESET : HVX_CANCEL_HTAB_FD);
		ret = hvx_stock.arch_vm_ioctl(filp, ioctl, arg);
		hvx_resize_resume(vm);
		/* A guest that is about to be moved may have lost a large page. */
		if (ioctl == KVM_PPC_ALLOCATE_HTAB)
			hvx_limit_recheck(vm);
		hvx_hpt_unlock(vm);
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
 * The four below do not sleep. The first two are called with preemption off, also by
 * the scheduler for a thread on its way to sleep. A vCPU's thread calls the third, and
 * may be preempted; the fourth comes with a spinlock held. hvx_ops_remove() waits for
 * all four.
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

/* By an MMU notifier, with kvm->mmu_lock held. The present table goes first: warm.c. */
static bool hvx_unmap_gfn_range(struct kvm *kvm, struct kvm_gfn_range *range)
{
	struct hvx_vm *vm = hvx_vm_find(kvm);
	bool flush = hvx_stock.unmap_gfn_range(kvm, range);

	if (vm)
		hvx_warm_unmap(vm, range->start, range->end);
	return flush;
}

/* What is extended: the one list of it. */
static const struct kvmppc_ops hvx_ops = {
	.init_vm = hvx_init_vm,
	.vcpu_run = hvx_vcpu_run,
	.vcpu_load = hvx_vcpu_load,
	.vcpu_put = hvx_vcpu_put,
	.inject_interrupt = hvx_inject_interrupt,
	.destroy_vm = hvx_destroy_vm,
	.create_vm_debugfs = hvx_create_vm_debugfs,
	.prepare_memory_region = hvx_prepare_memory_region,
	.commit_memory_region = hvx_commit_memory_region,
	.flush_memslot = hvx_flush_memslot,
	.unmap_gfn_range = hvx_unmap_gfn_range,
	.get_dirty_log = hvx_get_dirty_log,
	.get_smmu_info = hvx_get_smmu_info,
	.configure_mmu = hvx_configure_mmu,
	.arch_vm_ioctl = hvx_arch_vm_ioctl,
	.hcall_implemented = hvx_hcall_implemented,
	.enable_nested = hvx_enable_nested,
};

/*
 * struct kvmppc_ops as an array: it has the owner, a pointer as well, and pointers to
 * functions. Those that hvx_ops has are exchanged.
 */
#define HVX_NR_OPS	(sizeof(struct kvmppc_ops) / sizeof(unsigned long))
#define HVX_OP_INIT_VM	(offsetof(struct kvmppc_ops, init_vm) / sizeof(unsigned long))

static void hvx_op_set(const struct kvmppc_ops *ops, unsigned int i)
{
	WRITE_ONCE(((unsigned long *)kvmppc_hv_ops)[i],
		   ((const unsigned long *)ops)[i]);
}

/* All but init_vm. */
static void hvx_ops_set(const struct kvmppc_ops *ops)
{
	unsigned int i;

	for (i = 0; i < HVX_NR_OPS; i++)
		if (((const unsigned long *)&hvx_ops)[i] && i != HVX_OP_INIT_VM)
			hvx_op_set(ops, i);
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

/*
 * Whether the members that are exchanged are KVM HV's own functions: if another module
 * has exchanged one of them it would take it back from us, and leave us in part.
 */
static bool hvx_ops_are_stock(void)
{
	unsigned int i;

	for (i = 0; i < HVX_NR_OPS; i++) {
		unsigned long ours = ((const unsigned long *)&hvx_ops)[i];
		unsigned long stock = ((const unsigned long *)&hvx_stock)[i];

		if (!ours || hvx_function_is_stock(stock))
			continue;
		pr_err("KVM HV's function for %ps() is not its own but %pS: another module has changed it\n",
		       (void *)ours, (void *)stock);
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
 * Return: 0, -ENODEV if there is no KVM HV to extend, or with the reason in the log
 * -EOPNOTSUPP, if it is not as expected, or the error of a probe.
 */
int hvx_ops_install(void)
{
	int ret;

	if (!kvmppc_hv_ops || !try_module_get(kvmppc_hv_ops->owner))
		return -ENODEV;

	hvx_gate_init(&hvx_foreign_gate);
	hvx_stock = *kvmppc_hv_ops;
	ret = hvx_ops_are_stock() ? hvx_reset_install() : -EOPNOTSUPP;
	if (ret) {
		module_put(hvx_stock.owner);
		return ret;
	}
	/* VMs that run already come in from now on: all CPUs are to see the above. */
	synchronize_rcu();
	hvx_ops_set(&hvx_ops);
	/* A VM that finds the new init_vm finds the rest as well. */
	smp_wmb();
	hvx_op_set(&hvx_ops, HVX_OP_INIT_VM);
	return 0;
}

/**
 * hvx_ops_remove() - leave KVM HV as it was
 *
 * VMs of ours hold the module, so there are none. But threads may still be in
 * functions of ours: for a foreign VM, which is older than the module, or on the way
 * back to KVM after the end of a VM.
 *
 * A vCPU's thread is inside the gate, any other in an SRCU section, and both are waited
 * for. Before that a thread has read a pointer of ours, and afterwards it returns. It
 * does not sleep in either place, so a grace period of RCU tasks waits for it there;
 * preemption does not end one. The scheduler calls some functions for a thread that is
 * about to sleep, with preemption off; the grace period has one of RCU in it, which
 * waits for these.
 *
 * Context: may sleep.
 */
void hvx_ops_remove(void)
{
	hvx_op_set(&hvx_stock, HVX_OP_INIT_VM);
	hvx_ops_set(&hvx_stock);
	hvx_reset_remove();

	synchronize_rcu_tasks();
	hvx_gate_kill(&hvx_foreign_gate);
	synchronize_srcu(&hvx_calls);
	synchronize_rcu_tasks();
	module_put(hvx_stock.owner);
}
