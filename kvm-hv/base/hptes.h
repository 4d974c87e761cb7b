/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HPTEs in a table: to read, write and lock them.
 */
#ifndef KVM_HV_EXT_HPTES_H
#define KVM_HV_EXT_HPTES_H

#include <linux/delay.h>
#include <linux/kvm_host.h>

#include <asm/kvm_book3s.h>
#include <asm/kvm_ppc.h>

#include "base/hpte.h"

/* A slot of a table: the HPTE as the hardware sees it, and KVM's note of it. */
static inline __be64 *hvx_hptep(const struct kvm_hpt_info *hpt, u64 index)
{
	return (__be64 *)(hpt->virt + (index << HPT_HPTE_SHIFT));
}

/*
 * Single accesses, as READ_ONCE() and WRITE_ONCE() make them. Those would keep the
 * compiler from using the instructions that swap bytes on the way.
 */
#ifdef __LITTLE_ENDIAN__
static inline u64 hvx_read_be64(const __be64 *p)
{
	u64 val;

	asm volatile("ldbrx %0,%y1" : "=r" (val) : "Z" (*p));
	return val;
}

static inline void hvx_write_be64(__be64 *p, u64 val)
{
	asm volatile("stdbrx %1,%y0" : "=Z" (*p) : "r" (val));
}
#else
static inline u64 hvx_read_be64(const __be64 *p)
{
	return be64_to_cpu(READ_ONCE(*p));
}

static inline void hvx_write_be64(__be64 *p, u64 val)
{
	WRITE_ONCE(*p, cpu_to_be64(val));
}
#endif

/* Whether one of these bits is set in any of a PTEG's first doublewords. */
static inline bool hvx_pteg_any(const __be64 *hptep, u64 bits)
{
	__be64 any = 0;
	unsigned int slot;

#pragma GCC unroll 8
	for (slot = 0; slot < HPT_PTEG_SLOTS; slot++)
		any |= READ_ONCE(hptep[2 * slot]);
	return any & cpu_to_be64(bits);
}

/* First doubleword in the guest's format. A racy read unless the HPTE is locked. */
static inline u64 hvx_hpte_v(const __be64 *hptep)
{
	u64 v = hvx_read_be64(&hptep[0]);

	if (cpu_has_feature(CPU_FTR_ARCH_300))
		v = hpte_v3_to_v2_v(v, hvx_read_be64(&hptep[1]));
	return v;
}

/* Write an entry into a table that no CPU translates through; unlocks it. */
static inline void hvx_hpte_write(__be64 *hptep, u64 v, u64 r)
{
	if (cpu_has_feature(CPU_FTR_ARCH_300)) {
		r = hpte_v2_to_v3_r(v, r);
		v = hpte_v2_to_v3_v(v);
	}
	hvx_write_be64(&hptep[1], r);
	/* Whoever takes the lock after us sees both halves, and the reverse map. */
	smp_wmb();
	hvx_write_be64(&hptep[0], v & ~HPT_V_HVLOCK);
}

/*
 * Likewise, a valid entry as it is in another table, but for R and C: those are taken
 * out of that table later, and set here too they would be told of twice.
 */
static inline void hvx_hpte_copy(__be64 *hptep, const __be64 *from)
{
	WRITE_ONCE(hptep[1], READ_ONCE(from[1]) & cpu_to_be64(~HPT_R_RC));
	/* As in hvx_hpte_write(). */
	smp_wmb();
	WRITE_ONCE(hptep[0], READ_ONCE(from[0]) & cpu_to_be64(~HPT_V_HVLOCK));
}

/*
 * The lock bit of an HPTE, from stock KVM, where a holder needs it for a hundred
 * instructions. A holder must not be preempted, else whoever spins for the bit with
 * preemption off, on the same CPU, does so for ever. We never are. Stock KVM's page
 * faults and hcalls are on some preemptible kernels (Documentation/kernels.rst). So
 * we never wait for the bit with preemption off, but try some times; who fails lets
 * go of all that he holds, sleeps, for the holder may have the lower priority, and
 * starts over.
 */
#define HVX_HPTE_TRIES		1000

/*
 * Lock an HPTE if that can be had soon. Context: preemption disabled.
 * Return: true with the HPTE locked.
 */
static inline bool hvx_hpte_trylock(__be64 *hptep)
{
	int tries = HVX_HPTE_TRIES;

	while (!try_lock_hpte(hptep, HPTE_V_HVLOCK)) {
		if (!--tries)
			return false;
		cpu_relax();
	}
	return true;
}

static inline void hvx_hpte_unlock(__be64 *hptep)
{
	unlock_hpte(hptep, be64_to_cpu(hptep[0]));
}

/* Let the holder of an HPTE's lock go on. Context: may sleep, with no such lock. */
static inline void hvx_hpte_back_off(void)
{
	usleep_range(20, 200);
}

/* An entry as the guest knows it, with what the hardware has noted in it. */
struct hvx_entry {
	u64 v;		/* 0 if the slot is empty */
	u64 gr;		/* the guest's view of the second doubleword */
	bool mmio;	/* emulated MMIO, not memory */
};

/* The HPTE is locked. */
static inline void hvx_entry_locked(const struct kvm_hpt_info *hpt, u64 index,
				    struct hvx_entry *e)
{
	const __be64 *hptep = hvx_hptep(hpt, index);
	u64 r = hvx_read_be64(&hptep[1]);

	e->v = hvx_hpte_v(hptep) & ~HPT_V_HVLOCK;
	e->gr = hpt->rev[index].guest_rpte;
	e->mmio = hpte_is_mmio(e->v, r);
	if (e->v & HPT_V_VALID)
		e->gr |= r & HPT_R_RC;
	if (!hpte_in_use(e->v))
		e->v = 0;
}

/*
 * The host may unmap or age the page at any time. That moves R and C from the
 * HPTE to guest_rpte and clears the key that would mark MMIO, in steps, but with
 * the HPTE locked. Context: preemption disabled.
 * Return: false if the lock is not to be had.
 */
static inline bool hvx_entry_try_read(const struct kvm_hpt_info *hpt, u64 index,
				      struct hvx_entry *e)
{
	__be64 *hptep = hvx_hptep(hpt, index);

	if (!hvx_hpte_trylock(hptep))
		return false;
	hvx_entry_locked(hpt, index, e);
	hvx_hpte_unlock(hptep);
	return true;
}

/* Likewise, for who holds nothing yet. Context: may sleep. */
static inline void hvx_entry_read(const struct kvm_hpt_info *hpt, u64 index,
				  struct hvx_entry *e)
{
	bool done;

	for (;;) {
		preempt_disable();
		done = hvx_entry_try_read(hpt, index, e);
		preempt_enable();
		if (done)
			return;
		hvx_hpte_back_off();
	}
}

#endif /* KVM_HV_EXT_HPTES_H */
