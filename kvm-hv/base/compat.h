/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that the module is built for, from 6.1 on.
 *
 * A difference is asked of the headers, not of a version number, wherever they can
 * answer: distributions carry changes back. Where an older way works in all kernels
 * it is used in all, and is not here; what must not be used is listed below.
 *
 * Exported to KVM's own modules only, since 6.18: gfn_to_memslot(),
 * kvm_put_kvm_no_destroy(), kvm_vcpu_wake_up(). kvm_get_kvm() and kvm_put_kvm() are
 * about to be: who needs the VM to stay holds its file. Deprecated since 6.18:
 * system_unbound_wq; the module has queues of its own.
 */
#ifndef KVM_HV_EXT_COMPAT_H
#define KVM_HV_EXT_COMPAT_H

#include <linux/eventfd.h>
#include <linux/kvm_host.h>
#include <linux/mmap_lock.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seqlock.h>
#include <linux/version.h>

#include <asm/kvm_ppc.h>
#include <asm/reg.h>

/* kvmppc_ops.arch_vm_ioctl() gives an int since 6.3, a long before. */
#define HVX_IOCTL_RET							\
	typeof(((struct kvmppc_ops *)NULL)->arch_vm_ioctl(NULL, 0, 0))

/* eventfd_signal() always counts by one since 6.8, and was told by how much before. */
#define HVX_SIGNALS_ONE							\
	__same_type(&eventfd_signal, (void (*)(struct eventfd_ctx *))NULL)

static inline void
hvx_signal_by(__u64 (*signal)(struct eventfd_ctx *ctx, __u64 n),
	      struct eventfd_ctx *ctx)
{
	signal(ctx, 1);
}

static inline void
hvx_signal_one(void (*signal)(struct eventfd_ctx *ctx), struct eventfd_ctx *ctx)
{
	signal(ctx);
}

#define hvx_eventfd_signal(ctx)						\
	(__builtin_choose_expr(HVX_SIGNALS_ONE, hvx_signal_one,		\
			       hvx_signal_by)(eventfd_signal, ctx))

/*
 * Stock KVM holds an HPTE's lock bit, or the raw mmu_lock, where it can be preempted,
 * on POWER9 and later ("Add preempt_disable() around virtual-mode HPTE bit-lock
 * users"). Mended in 7.3.3 and in 6.12.117. Nothing in the headers tells.
 */
#define HVX_STOCK_LOCKS_PREEMPTIBLY					\
	(LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 3) &&		\
	 !(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 117) &&		\
	   LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)))

/**
 * hvx_kernel_preempts() - whether a thread can be preempted inside the kernel
 *
 * With PREEMPT_DYNAMIC that is decided at boot.
 *
 * Return: true if it can.
 */
static inline bool hvx_kernel_preempts(void)
{
	return IS_ENABLED(CONFIG_PREEMPTION) && !preempt_model_none() &&
	       !preempt_model_voluntary();
}

/**
 * hvx_relax() - in a long piece of work, let others have their turn
 *
 * Where the kernel preempts, cond_resched() does nothing: others get the CPU anyway.
 * But preemption is no quiescent state for RCU tasks, for which rmmod waits, ours too.
 *
 * Context: may sleep.
 */
static inline void hvx_relax(void)
{
	cond_resched_tasks_rcu_qs();
}

/**
 * hvx_mmap_write_trylock() - mmap_lock for writing, if it is free
 * @mm: whose; mmap_write_unlock() is the opposite
 *
 * 6.1 has mmap_write_trylock(), 6.12 has not. Since 6.14, and in later ones of the
 * 6.12 series, the lock goes with a sequence count, which mmap_write_unlock() ends.
 *
 * Context: any that may hold it.
 * Return: true with the lock held.
 */
static inline bool hvx_mmap_write_trylock(struct mm_struct *mm)
{
	if (!down_write_trylock(&mm->mmap_lock))
		return false;
#ifdef CONFIG_PER_VMA_LOCK
	/* Before it was a number: the cast lets that compile. */
	if (__same_type(mm->mm_lock_seq, seqcount_t))
		do_raw_write_seqcount_begin((seqcount_t *)(void *)&mm->mm_lock_seq);
#endif
	return true;
}

/**
 * hvx_gfn_to_memslot() - the memslot that a guest page is in
 * @kvm: the VM
 * @gfn: the page
 *
 * gfn_to_memslot() without its export.
 *
 * Context: kvm->srcu or kvm->slots_lock is held.
 * Return: the memslot, or NULL.
 */
static inline struct kvm_memory_slot *hvx_gfn_to_memslot(struct kvm *kvm,
							 gfn_t gfn)
{
	return __gfn_to_memslot(kvm_memslots(kvm), gfn);
}

/**
 * hvx_vcpu_wake_up() - wake a vCPU that sleeps in H_CEDE
 * @vcpu: the vCPU
 *
 * kvm_vcpu_wake_up() without its export, and without its statistics.
 *
 * Context: any.
 */
static inline void hvx_vcpu_wake_up(struct kvm_vcpu *vcpu)
{
	rcuwait_wake_up(kvm_arch_vcpu_get_wait(vcpu));
}

/* Registers of a POWER10 that older kernels have no name for. */
#ifndef SPRN_DEXCR
#define SPRN_DEXCR	0x33c
#endif
#ifndef SPRN_HASHKEYR
#define SPRN_HASHKEYR	0x1d4
#endif

/**
 * hvx_guest_hash() - where KVM has a guest's DEXCR and HASHKEYR
 * @vcpu: the vCPU
 * @dexcr: filled with the address of the one
 * @hashkeyr: and of the other
 *
 * User space reads and writes them there, to migrate a guest.
 *
 * Context: any.
 * Return: false if this kernel has no place for them.
 */
static inline bool hvx_guest_hash(struct kvm_vcpu *vcpu, unsigned long **dexcr,
				  unsigned long **hashkeyr)
{
#ifdef KVM_REG_PPC_DEXCR
	*dexcr = &vcpu->arch.dexcr;
	*hashkeyr = &vcpu->arch.hashkeyr;
	return true;
#else
	return false;
#endif
}

#endif /* KVM_HV_EXT_COMPAT_H */
