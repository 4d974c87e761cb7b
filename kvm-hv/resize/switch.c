// SPDX-License-Identifier: GPL-2.0
/*
 * The switch: the one place where a VM gets another table.
 *
 * Who reads kvm->arch.hpt and the reverse maps, and what keeps each away:
 *  - vCPU threads, in the guest, in real mode, in hcalls and in page faults:
 *    the gate is closed;
 *  - MMU notifiers (unmap, age, test_age): kvm->mmu_lock;
 *  - the dirty log and the flush of a memslot: kvm->slots_lock;
 *  - KVM_PPC_ALLOCATE_HTAB, writes to an HTAB fd, the set-up of the VRMA:
 *    kvm->arch.mmu_setup_lock;
 *  - reads of an HTAB fd, which take no lock at all: there is none open, by
 *    kvm->arch.hpte_mod_interest, and none can be opened, by the hpt_lock;
 *  - stock KVM's debugfs file "htab", which takes no lock either: nothing does. It is
 *    root's, and for a VM that is not resized (kvm-hv-ext.rst, "Known limits").
 * Stock KVM has more to fear here: it frees the old table while a vCPU thread
 * may still look through it, or through the new one with an old index.
 */
#include <linux/kvm_host.h>

#include <asm/mmu.h>

#include "base/base.h"
#include "resize/resize.h"

/**
 * hvx_switch() - install a table and the reverse maps that belong to it
 * @rs: the resize; it has the old table and the old reverse maps afterwards
 *
 * The reverse maps have every valid entry of the new table, and nothing else. So an
 * MMU notifier that comes next finds all that there is to unmap. What CPUs still have
 * in their TLBs is flushed before they enter the guest again.
 *
 * Context: the gate is closed; the hpt_lock, kvm->slots_lock and
 * kvm->arch.mmu_setup_lock are held. The memslots are those that the reverse maps
 * were made for, by hvx_resize_current(): a VMM may have 32,000, and none is looked
 * up here.
 */
void hvx_switch(struct hvx_resize *rs)
{
	struct hvx_rmaps *rmaps = rs->rmaps;
	struct kvm *kvm = rs->vm->kvm;
	unsigned long dw0, slb_v;
	unsigned int i;

	lockdep_assert_held(&kvm->slots_lock);
	lockdep_assert_held(&kvm->arch.mmu_setup_lock);

	spin_lock(&kvm->mmu_lock);
	/* Entries written so far are in memory before anything can find them. */
	asm volatile("ptesync" : : : "memory");

	/* A notifier that comes from now on is not to follow into the old table. */
	rs->vm->resizer->warm = NULL;
	swap(kvm->arch.hpt, rs->hpt);
	kvm->arch.sdr1 = __pa(kvm->arch.hpt.virt) | (kvm->arch.hpt.order - 18);

	for (i = 0; i < rmaps->nr; i++) {
		struct hvx_rmap *slot = &rmaps->slot[i];

		swap(slot->memslot->arch.rmap, slot->rmap);
	}

	/*
	 * Cached translations of emulated MMIO name indices in the old table.
	 * The count only ever grows, else an entry cached long ago would match.
	 */
	atomic64_inc(&kvm->arch.mmio_update);
	cpumask_setall(&kvm->arch.need_tlb_flush);
	spin_unlock(&kvm->mmu_lock);

	/* Before POWER9, SDR1 is loaded from kvm->arch on each guest entry. */
	if (!cpu_has_feature(CPU_FTR_ARCH_300))
		return;
	/* Page size of the VRMA, for real mode; ISA v3.0B Book III 5.7.6.1. */
	slb_v = kvm->arch.vrma_slb_v;
	dw0 = ((slb_v & SLB_VSID_L) >> 1) | ((slb_v & SLB_VSID_LP) << 1) |
	      kvm->arch.sdr1;
	mmu_partition_table_set_entry(kvm->arch.lpid, dw0,
				      kvm->arch.process_table, true);
}
