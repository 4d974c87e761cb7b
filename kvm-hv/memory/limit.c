// SPDX-License-Identifier: GPL-2.0
/*
 * The page-size limit.
 *
 * Under KVM HV an HPT guest's pages are the host's own: a page that the backing
 * cannot provide, contiguous and aligned, is a fault that nobody can resolve. So
 * the VMM says what it promises, the guest is shown nothing beyond, and memory
 * that would break the promise is refused. The promise never follows the host:
 * the same limit makes the same guest everywhere, or no guest at all.
 *
 * A radix guest's pages are its own affair, and no limit applies to it.
 *
 * Nor does it apply to what a device shows to the guest: no linear map of memory
 * lies there, and a VMM such as QEMU has no large pages for a frame buffer or a ROM
 * and ends itself if they are refused. Nothing about such a memslot tells it from
 * memory but its place in the guest: a pseries machine has all of its PCI windows
 * and interrupt controllers above all of its memory.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/mmu.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "memory/memory.h"

#define HVX_LIMIT_MIN	12
#define HVX_LIMIT_MAX	63

/**
 * hvx_limit_parse() - a limit as text
 * @text: a number
 *
 * Return: a shift, or 0 for no limit; -EINVAL or -ERANGE if it is neither.
 */
int hvx_limit_parse(const char *text)
{
	unsigned int shift;
	int ret = kstrtouint(text, 0, &shift);

	if (ret)
		return ret;
	if (shift && (shift < HVX_LIMIT_MIN || shift > HVX_LIMIT_MAX))
		return -EINVAL;
	return shift;
}

static int hvx_param_set_shift(const char *val, const struct kernel_param *kp)
{
	int shift = hvx_limit_parse(val);

	return shift < 0 ? shift : param_set_uint(val, kp);
}

static const struct kernel_param_ops hvx_param_shift_ops = {
	.set = hvx_param_set_shift,
	.get = param_get_uint,
};

static unsigned int hpt_max_page_shift;
module_param_cb(hpt_max_page_shift, &hvx_param_shift_ops, &hpt_max_page_shift,
		0644);
MODULE_PARM_DESC(hpt_max_page_shift,
		 "Largest page shift of new VMs that choose none themselves (12 or more; 0: no limit)");

static int hvx_param_set_base(const char *val, const struct kernel_param *kp)
{
	unsigned long base;
	int ret = kstrtoul(val, 0, &base);

	if (ret)
		return ret;
	/* 0 is memory, and no page is on both sides. */
	if (!base || base & (BIT(HVX_GUEST_SHIFT_MAX) - 1))
		return -EINVAL;
	return param_set_ulong(val, kp);
}

static const struct kernel_param_ops hvx_param_base_ops = {
	.set = hvx_param_set_base,
	.get = param_get_ulong,
};

/* QEMU: 32 TiB, for machines since pseries-2.8. */
static unsigned long hpt_device_base = BIT(45);
module_param_cb(hpt_device_base, &hvx_param_base_ops, &hpt_device_base, 0644);
MODULE_PARM_DESC(hpt_device_base,
		 "Guest address from which on new VMs have devices and no memory, so that no page-size limit applies (a multiple of 16M; default 32T)");

/**
 * hvx_limit_init() - the limit of a new VM
 * @limit: zeroed
 */
void hvx_limit_init(struct hvx_limit *limit)
{
	spin_lock_init(&limit->lock);
	mutex_init(&limit->hold_lock);
	atomic_set(&limit->epoch, 1);
	limit->shift = READ_ONCE(hpt_max_page_shift);
	limit->device_base = READ_ONCE(hpt_device_base);
}

/**
 * hvx_limit_host_shift() - the largest limit that this host can honour
 *
 * Pages of that size exist here, hugetlbfs or THP; whether there are any to
 * spare is another matter.
 *
 * Return: a guest page shift.
 */
unsigned int hvx_limit_host_shift(void)
{
	unsigned int shift = PAGE_SHIFT;

	if (!radix_enabled())
		shift = max(shift, mmu_psize_defs[MMU_PAGE_16M].shift);
	else if (mmu_psize_defs[MMU_PAGE_1G].shift)
		shift = mmu_psize_defs[MMU_PAGE_1G].shift;
	else if (mmu_psize_defs[MMU_PAGE_2M].shift)
		shift = mmu_psize_defs[MMU_PAGE_2M].shift;
	return hvx_guest_shift(min(shift, HVX_GUEST_SHIFT_MAX));
}

/* In strict mode H_ENTER has no page beyond the limit. */
static bool hvx_limit_refuses(struct hvx_hook *hook, struct kvm_vcpu *vcpu)
{
	struct hvx_limit *limit = container_of(hook, struct hvx_limit, hook);

	return !kvm_is_radix(vcpu->kvm) &&
	       kvmppc_actual_pgsz(kvmppc_get_gpr(vcpu, 6),
				  kvmppc_get_gpr(vcpu, 7)) >
	       BIT(READ_ONCE(limit->shift));
}

static const struct hvx_hook_ops hvx_limit_hook_ops = {
	.hcalls = BIT(HVX_HPT_ENTER),
	.refuses = hvx_limit_refuses,
};

/**
 * hvx_limit_set() - KVM_ENABLE_CAP(KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT)
 * @vm: the VM
 * @shift: the limit, 12 or more
 * @flags: KVM_PPC_HPT_MAX_PAGE_*
 *
 * Memory that there is already is checked when the first vCPU runs. What is in force
 * can be set again at any time, as QEMU does with all of a machine's capabilities at
 * each reset and each loadvm.
 *
 * Context: may sleep; mmap_lock is not held.
 * Return: 0, -EINVAL for nonsense, -EBUSY if another was chosen before or a vCPU
 * has run with another; on an error nothing has changed.
 */
int hvx_limit_set(struct hvx_vm *vm, u64 shift, u64 flags)
{
	struct hvx_limit *limit = &vm->memory->limit;
	int ret = 0;

	if (shift < HVX_LIMIT_MIN || shift > HVX_LIMIT_MAX ||
	    flags & ~(u64)KVM_PPC_HPT_MAX_PAGE_STRICT)
		return -EINVAL;

	spin_lock(&limit->lock);
	if (limit->chosen || limit->ran) {
		if (shift != limit->shift ||
		    limit->strict != !!(flags & KVM_PPC_HPT_MAX_PAGE_STRICT))
			ret = -EBUSY;
	} else {
		limit->chosen = true;
		WRITE_ONCE(limit->shift, shift);
		WRITE_ONCE(limit->strict, flags & KVM_PPC_HPT_MAX_PAGE_STRICT);
		if (limit->strict)
			hvx_hook_add(&vm->intercept, &limit->hook,
				     &hvx_limit_hook_ops);
	}
	spin_unlock(&limit->lock);
	if (!ret && hvx_limit_needs_large(&vm->memory->limit, vm->kvm))
		hvx_watch_begin(vm);
	return ret;
}

/**
 * hvx_limit_preset() - choose the limit of a VM in its VMM's place
 * @vm: the VM, being made: nobody else knows it yet
 * @shift: the limit, or 0 for none
 *
 * The VMM may ask for the same, and gets -EBUSY for another.
 */
void hvx_limit_preset(struct hvx_vm *vm, unsigned int shift)
{
	vm->memory->limit.shift = shift;
	vm->memory->limit.chosen = true;
}

/**
 * hvx_limit_flags() - the flags in force
 * @vm: the VM
 *
 * Context: any.
 * Return: KVM_PPC_HPT_MAX_PAGE_*.
 */
u64 hvx_limit_flags(struct hvx_vm *vm)
{
	return hvx_limit_strict(&vm->memory->limit) ? KVM_PPC_HPT_MAX_PAGE_STRICT : 0;
}

/**
 * hvx_limit_filter() - take what is beyond the limit out of the MMU's description
 * @vm: the VM
 * @info: as stock KVM filled it
 *
 * Goes for base page sizes and for the larger pages that their segments can hold.
 */
void hvx_limit_filter(struct hvx_vm *vm, struct kvm_ppc_smmu_info *info)
{
	struct kvm_ppc_one_seg_page_size *from, *to = info->sps;
	unsigned int limit = hvx_limit_shift(&vm->memory->limit);
	int i, n;

	if (!limit)
		return;
	for (from = info->sps; from < info->sps + KVM_PPC_PAGE_SIZES_MAX_SZ;
	     from++) {
		struct kvm_ppc_one_seg_page_size sps = *from;

		memset(from, 0, sizeof(*from));
		if (!sps.page_shift || sps.page_shift > limit)
			continue;
		to->page_shift = sps.page_shift;
		to->slb_enc = sps.slb_enc;
		for (i = 0, n = 0; i < KVM_PPC_PAGE_SIZES_MAX_SZ; i++)
			if (sps.enc[i].page_shift &&
			    sps.enc[i].page_shift <= limit)
				to->enc[n++] = sps.enc[i];
		to++;
	}
}

static int hvx_limit_check(struct hvx_vm *vm, const struct hvx_range *mem,
			   unsigned int shift)
{
	if (mem->gpa >= vm->memory->limit.device_base)
		return 0;
	return hvx_backing_check(vm->kvm, mem, shift);
}

static int hvx_limit_check_slot(struct hvx_vm *vm,
				const struct kvm_memory_slot *slot,
				unsigned int shift)
{
	const struct hvx_range mem = {
		.slot = slot->id,
		.gpa = gfn_to_gpa(slot->base_gfn),
		.hva = slot->userspace_addr,
		.size = slot->npages << PAGE_SHIFT,
	};

	return hvx_limit_check(vm, &mem, shift);
}

static void hvx_limit_unsettle(struct hvx_vm *vm)
{
	atomic_inc(&vm->memory->limit.epoch);
}

/**
 * hvx_limit_memslot() - whether a memslot may come, as far as the limit goes
 * @vm: the VM
 * @slot: the memslot, as it would be
 * @change: what is to happen
 *
 * A radix guest may become an HPT guest later: then its memory is looked at.
 *
 * Context: may sleep; kvm->slots_lock is held.
 * Return: 0, -EINVAL with the reason in the log, -ENOMEM, or -EINTR if the process is being
 * killed.
 */
int hvx_limit_memslot(struct hvx_vm *vm, const struct kvm_memory_slot *slot,
		      enum kvm_mr_change change)
{
	unsigned int limit = hvx_limit_shift(&vm->memory->limit);

	if (!limit || (change != KVM_MR_CREATE && change != KVM_MR_MOVE))
		return 0;
	if (kvm_is_radix(vm->kvm)) {
		hvx_limit_unsettle(vm);
		return 0;
	}
	if (hvx_limit_needs_large(&vm->memory->limit, vm->kvm))
		hvx_watch_begin(vm);
	return hvx_limit_check_slot(vm, slot, hvx_guest_shift(limit));
}

/* Whether a memslot is there already; as KVM has it, any page of it counts. */
static bool hvx_limit_overlaps(struct kvm *kvm, const struct hvx_range *mem)
{
	gfn_t start = gpa_to_gfn(mem->gpa), end = start + (mem->size >> PAGE_SHIFT);
	struct kvm_memslot_iter iter;
	bool found = false;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), start, end) {
		found = true;
		break;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return found;
}

/**
 * hvx_limit_ask_ioctl() - KVM_PPC_CHECK_MEMORY
 * @vm: the VM; KVM has seen to it that the caller runs in its mm
 * @argp: struct kvm_ppc_check_memory
 *
 * Makes the checks that KVM_SET_USER_MEMORY_REGION makes for a new memslot, in the same
 * order. It does not take slots_lock, so it never delays a memslot.
 *
 * Context: may sleep.
 * Return: 0 if such a memslot could come now, else what that would fail with:
 * -EINVAL (with the reason in the log if it is the backing), -EEXIST; -EFAULT, or
 * -EINTR if the process is being killed.
 */
int hvx_limit_ask_ioctl(struct hvx_vm *vm, void __user *argp)
{
	unsigned int limit = hvx_limit_shift(&vm->memory->limit);
	struct kvm_ppc_check_memory arg;
	struct hvx_range mem;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (memchr_inv(arg.reserved, 0, sizeof(arg.reserved)) ||
	    arg.flags & ~(u64)KVM_MEM_LOG_DIRTY_PAGES || !arg.size ||
	    (arg.guest_addr | arg.host_addr | arg.size) & ~PAGE_MASK ||
	    !access_ok((void __user *)(unsigned long)arg.host_addr, arg.size) ||
	    arg.guest_addr + arg.size < arg.guest_addr ||
	    arg.size >> PAGE_SHIFT > KVM_MEM_MAX_NR_PAGES)
		return -EINVAL;

	mem = (struct hvx_range) {
		.slot = -1,
		.gpa = arg.guest_addr,
		.hva = arg.host_addr,
		.size = arg.size,
	};
	if (hvx_limit_overlaps(vm->kvm, &mem))
		return -EEXIST;
	if (!limit || kvm_is_radix(vm->kvm))
		return 0;
	return hvx_limit_check(vm, &mem, hvx_guest_shift(limit));
}

/**
 * hvx_limit_recheck() - have all memory looked at before a vCPU runs again
 * @vm: the VM, whose MMU mode or table may have changed
 *
 * A vCPU that is inside the gate, waiting for the change in stock KVM, comes out once
 * more. It is not waited for: a vCPU that is stuck in a page fault of the host's comes
 * out when it has its page, before it enters the guest.
 *
 * Context: any that may take a spin lock.
 */
void hvx_limit_recheck(struct hvx_vm *vm)
{
	hvx_limit_unsettle(vm);
	if (!hvx_limit_shift(&vm->memory->limit))
		return;
	/* A vCPU that comes in after this kick sees the new epoch: hvx_run_enter(). */
	hvx_gate_kick(&vm->gate);
}

/* Once for all vCPUs that have come for it at the same time. */
static int hvx_limit_check_all(struct hvx_vm *vm, unsigned int shift, int epoch)
{
	struct kvm_memory_slot *slot;
	struct kvm *kvm = vm->kvm;
	int bkt, ret = 0;

	/* A memslot is checked here, or comes later and is checked then. */
	mutex_lock(&kvm->slots_lock);
	if (vm->memory->limit.settled == epoch)
		goto out;
	kvm_for_each_memslot(slot, bkt, kvm_memslots(kvm)) {
		ret = hvx_limit_check_slot(vm, slot, shift);
		if (ret)
			goto out;
	}
	WRITE_ONCE(vm->memory->limit.settled, epoch);
out:
	mutex_unlock(&kvm->slots_lock);
	return ret;
}

/* A guest with pages above the host's base size cannot lose some of one. */
static void hvx_limit_hold(struct hvx_vm *vm, bool hold)
{
	struct hvx_limit *limit = &vm->memory->limit;

	mutex_lock(&limit->hold_lock);
	if (hold && !limit->holds)
		hvx_balloon_get(vm, HVX_HOLDER_PROMISE);
	else if (limit->holds && !hold)
		hvx_balloon_put(vm, HVX_HOLDER_PROMISE);
	limit->holds = hold;
	mutex_unlock(&limit->hold_lock);
}

/**
 * hvx_limit_settle() - look at all memory, before the first vCPU runs in a mode
 * @vm: the VM
 * @vcpu: the vCPU that is about to run
 *
 * Context: may sleep; outside the gate.
 * Return: 0, or -EINVAL with the reason in the log if memory does not carry what
 * was promised, or -EINTR if the process is being killed; the next attempt looks again.
 */
int hvx_limit_settle(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	struct hvx_limit *limit = &vm->memory->limit;
	int ret = 0, epoch = atomic_read(&limit->epoch);
	unsigned int shift;
	bool promise;

	spin_lock(&limit->lock);
	WRITE_ONCE(limit->ran, true);
	shift = limit->shift;
	spin_unlock(&limit->lock);

	promise = shift && !kvm_is_radix(vm->kvm);
	shift = promise ? hvx_guest_shift(shift) : 0;
	hvx_limit_hold(vm, shift > PAGE_SHIFT);
	if (promise)
		ret = hvx_limit_check_all(vm, shift, epoch);
	else
		WRITE_ONCE(limit->settled, epoch);
	if (ret) {
		vcpu->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
		vcpu->run->fail_entry.hardware_entry_failure_reason = 0;
		vcpu->run->fail_entry.cpu = vcpu->vcpu_id;
	}
	return ret;
}
