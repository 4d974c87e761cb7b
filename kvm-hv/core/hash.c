// SPDX-License-Identifier: GPL-2.0
/*
 * DEXCR and HASHKEYR, of POWER10 and later: how branches of a process are predicted, whether
 * it may use the hash instructions that protect return addresses, and their key. Operating
 * systems have some for each process. Stock KVM HV has fields for a vCPU's, which user space
 * can read and write, but no part in them otherwise: a guest finds in the CPU what the VMM
 * or another guest had, and leaves what it has.
 *
 * Here each guest has its own, and so has its VMM: of the two sets one is in the CPU, the
 * other one in struct hvx_hash. They change places where KVM_RUN begins and ends, and where
 * the thread is scheduled away in between, for not all kernels switch both from thread to
 * thread. It is none of VMs that are older than the module, whose guests have no values but
 * those in the CPU, nor of kernels without the fields.
 */
#include <linux/preempt.h>
#include <asm/cputable.h>
#include <asm/reg.h>
#include <asm/switch_to.h>

#include "core/ops.h"

/* With preemption off, or it could be on another CPU half way. */
static void hvx_hash_exchange(struct hvx_hash *hash)
{
	u64 dexcr = mfspr(SPRN_DEXCR), hashkeyr = mfspr(SPRN_HASHKEYR);

	if (hash->dexcr != dexcr)
		mtspr(SPRN_DEXCR, hash->dexcr);
	if (hash->hashkeyr != hashkeyr)
		mtspr(SPRN_HASHKEYR, hash->hashkeyr);
	/* What is fetched from here on is as DEXCR says. */
	isync();
	hash->dexcr = dexcr;
	hash->hashkeyr = hashkeyr;
}

/* After __switch_to(), by which the CPU may have the VMM's as of now. */
static void hvx_hash_sched_in(struct preempt_notifier *notifier, int cpu)
{
	hvx_hash_exchange(container_of(notifier, struct hvx_hash, notifier));
}

/* Before __switch_to(), which may save what is the VMM's. */
static void hvx_hash_sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	hvx_hash_exchange(container_of(notifier, struct hvx_hash, notifier));
}

static struct preempt_ops hvx_hash_ops = {
	.sched_in = hvx_hash_sched_in,
	.sched_out = hvx_hash_sched_out,
};

/**
 * hvx_hash_enter() - the guest's into the CPU
 * @hash: to be filled, for hvx_hash_leave()
 * @vcpu: the vCPU that is to run, of a VM that is not older than the module
 *
 * Context: the thread that runs the vCPU, which holds vcpu->mutex; may be preempted.
 */
void hvx_hash_enter(struct hvx_hash *hash, struct kvm_vcpu *vcpu)
{
	unsigned long *dexcr, *hashkeyr;

	hash->entered = cpu_has_feature(CPU_FTR_ARCH_31) &&
			hvx_guest_hash(vcpu, &dexcr, &hashkeyr);
	if (!hash->entered)
		return;
	hash->dexcr = *dexcr;
	hash->hashkeyr = *hashkeyr;
	preempt_notifier_init(&hash->notifier, &hvx_hash_ops);
	preempt_disable();
	hvx_hash_exchange(hash);
	preempt_notifier_register(&hash->notifier);
	preempt_enable();
}

/**
 * hvx_hash_leave() - the VMM's into the CPU again
 * @hash: as hvx_hash_enter() left it
 * @vcpu: the vCPU that ran
 *
 * Stock vcpu_run() has saved the guest's DEXCR as this thread's. A core dump would have it
 * from there, so that is brought up to date, too.
 *
 * Context: as hvx_hash_enter().
 */
void hvx_hash_leave(struct hvx_hash *hash, struct kvm_vcpu *vcpu)
{
	unsigned long *dexcr, *hashkeyr;

	if (!hash->entered || !hvx_guest_hash(vcpu, &dexcr, &hashkeyr))
		return;
	preempt_disable();
	preempt_notifier_unregister(&hash->notifier);
	hvx_hash_exchange(hash);
	preempt_enable();
	*dexcr = hash->dexcr;
	*hashkeyr = hash->hashkeyr;
	kvmppc_save_current_sprs();
}
