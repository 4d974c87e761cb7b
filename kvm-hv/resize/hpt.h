/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hash page tables and reverse maps as things that are allocated and freed.
 */
#ifndef KVM_HV_EXT_HPT_H
#define KVM_HV_EXT_HPT_H

#include <linux/kvm_host.h>

#include "base/base.h"

/* How far a long piece of work is; written by one thread, read by any. */
struct hvx_progress {
	u64 total;	/* bytes to go through in all */
	u64 done;
	bool cancel;	/* asks the worker to give up soon */
};

/*
 * Reverse maps for every memslot, the array that the switch exchanges. The memslots stay
 * as long as the generation does, which only changes with kvm->slots_lock held.
 */
struct hvx_rmaps {
	u64 generation;			/* of the memslots they are made for */
	unsigned int nr;
	unsigned int last;		/* the one that was wanted last, as a hint */
	struct hvx_rmap {		/* by base_gfn */
		struct kvm_memory_slot *memslot; /* not to be looked at any later */
		gfn_t base_gfn;
		unsigned long npages;	/* host pages */
		unsigned long *rmap;	/* vmalloc, npages words */
	} slot[];
};

/* What a guest makes the host allocate is charged to its VMM's memory cgroup. */
#define HVX_GFP		(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

struct mem_cgroup *hvx_charge_begin(struct kvm *kvm, struct mem_cgroup **old);
void hvx_charge_end(struct mem_cgroup *memcg, struct mem_cgroup *old);

int hvx_hpt_alloc(struct kvm_hpt_info *hpt, unsigned int order,
		  struct hvx_progress *progress);
void hvx_hpt_free(struct kvm_hpt_info *hpt);
u64 hvx_hpt_bytes(unsigned int order);
void hvx_hpt_absent(struct kvm *kvm);

struct hvx_rmaps *hvx_rmaps_alloc(struct kvm *kvm,
				  struct hvx_progress *progress);
void hvx_rmaps_free(struct hvx_rmaps *rmaps);
struct hvx_rmap *hvx_rmaps_search(struct hvx_rmaps *rmaps, gfn_t gfn);

static inline bool hvx_rmap_has(const struct hvx_rmap *slot, gfn_t gfn)
{
	return gfn - slot->base_gfn < slot->npages;
}

/* The reverse maps of the memslot that a guest page is in, or NULL. */
static inline struct hvx_rmap *hvx_rmaps_find(struct hvx_rmaps *rmaps, gfn_t gfn)
{
	struct hvx_rmap *slot = &rmaps->slot[READ_ONCE(rmaps->last)];

	return hvx_rmap_has(slot, gfn) ? slot : hvx_rmaps_search(rmaps, gfn);
}

#endif /* KVM_HV_EXT_HPT_H */
