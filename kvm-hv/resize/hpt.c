// SPDX-License-Identifier: GPL-2.0
/*
 * Hash page tables and reverse maps as things that are allocated and freed.
 *
 * A table is made so that stock KVM can free it: it is stock KVM's, once a
 * resize has installed it.
 */
#include <linux/build_bug.h>
#include <linux/gfp.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "resize/hpt.h"
#include "resize/knobs.h"

/* hpte.h has its own names for the unit tests' sake: they are the kernel's. */
#define HVX_SAME(ours, kernels)	static_assert((ours) == (kernels))
HVX_SAME(HPT_V_AVPN, HPTE_V_AVPN);
HVX_SAME(HPT_V_BOLTED, HPTE_V_BOLTED);
HVX_SAME(HPT_V_LARGE, HPTE_V_LARGE);
HVX_SAME(HPT_V_SECONDARY, HPTE_V_SECONDARY);
HVX_SAME(HPT_V_VALID, HPTE_V_VALID);
HVX_SAME(HPT_V_HVLOCK, HPTE_V_HVLOCK);
HVX_SAME(HPT_V_ABSENT, HPTE_V_ABSENT);
HVX_SAME(HPT_R_PP0, HPTE_R_PP0);
HVX_SAME(HPT_R_KEY, HPTE_R_KEY);
HVX_SAME(HPT_R_RPN, HPTE_R_RPN);
HVX_SAME(HPT_R_R, HPTE_R_R);
HVX_SAME(HPT_R_C, HPTE_R_C);
HVX_SAME(HPT_GR_MODIFIED, HPTE_GR_MODIFIED);
HVX_SAME(HPT_V3_V_COMMON, HPTE_V_COMMON_BITS);
HVX_SAME(HPT_V3_R_B, HPTE_R_3_0_SSIZE_MASK);
HVX_SAME(HPT_ORDER_MIN, PPC_MIN_HPT_ORDER);
HVX_SAME(HPT_ORDER_MAX, PPC_MAX_HPT_ORDER);

/* Between two looks at whether to go on; 1 MiB is cleared in well under 1 ms. */
#define HVX_CLEAR_CHUNK		BIT(20)

/**
 * hvx_charge_begin() - charge what the current thread allocates to a VM
 * @kvm: the VM
 * @old: for hvx_charge_end()
 *
 * The worker has no memory cgroup of its own. CMA knows none, so a table that
 * comes from there is not charged; its reverse map entries, as large, are.
 *
 * Return: for hvx_charge_end().
 */
struct mem_cgroup *hvx_charge_begin(struct kvm *kvm, struct mem_cgroup **old)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(kvm->mm);

	*old = set_active_memcg(memcg);
	return memcg;
}

/**
 * hvx_charge_end() - end what hvx_charge_begin() has begun
 * @memcg: as returned by it
 * @old: as filled in by it
 */
void hvx_charge_end(struct mem_cgroup *memcg, struct mem_cgroup *old)
{
	set_active_memcg(old);
	mem_cgroup_put(memcg);
}

/*
 * The kernel's memset() stores doublewords. To clear a page it has dcbz, which takes a
 * cache line at once and reads none from memory: a tenth of the instructions.
 */
static int hvx_clear(void *mem, u64 bytes, struct hvx_progress *progress)
{
	void *end = mem + bytes, *pause;

	while (mem < end) {
		if (READ_ONCE(progress->cancel))
			return -ECANCELED;
		pause = min(mem + HVX_CLEAR_CHUNK, end);
		WRITE_ONCE(progress->done, progress->done + (pause - mem));
		for (; mem < pause; mem += PAGE_SIZE)
			clear_page(mem);
		hvx_relax();
	}
	return 0;
}

/**
 * hvx_hpt_bytes() - memory that a table takes
 * @order: log2 of the table's size in bytes
 *
 * Return: bytes of the table and of the reverse map entries beside it.
 */
u64 hvx_hpt_bytes(unsigned int order)
{
	return (1ULL << order) +
	       hpt_nr_hptes(order) * sizeof(struct revmap_entry);
}

/**
 * hvx_hpt_alloc() - make an empty table
 * @hpt: filled in
 * @order: log2 of the table's size in bytes
 * @progress: counts the bytes cleared, and says when to give up
 *
 * The table comes from the CMA reserve for HPTs, or failing that from the page
 * allocator, which can serve small orders; the reverse map entries from
 * vmalloc. Clearing goes in pieces, for a large table takes seconds.
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -ECANCELED; on failure nothing is held.
 */
int hvx_hpt_alloc(struct kvm_hpt_info *hpt, unsigned int order,
		  struct hvx_progress *progress)
{
	u64 rev_bytes = hpt_nr_hptes(order) * sizeof(struct revmap_entry);
	struct page *page;
	int ret;

	memset(hpt, 0, sizeof(*hpt));

	/* More than the machine has: do not make CMA migrate pages for it. */
	if (hvx_hpt_bytes(order) >> PAGE_SHIFT > totalram_pages())
		return -ENOMEM;

	if (hvx_fail_alloc())
		return -ENOMEM;
	page = kvm_alloc_hpt_cma(1UL << (order - PAGE_SHIFT));
	if (page) {
		hpt->virt = (unsigned long)pfn_to_kaddr(page_to_pfn(page));
		hpt->cma = 1;
	} else {
		hpt->virt = __get_free_pages(HVX_GFP, order - PAGE_SHIFT);
	}
	if (!hpt->virt)
		return -ENOMEM;
	hpt->order = order;

	ret = -ENOMEM;
	hpt->rev = hvx_fail_alloc() ? NULL : __vmalloc(rev_bytes, HVX_GFP);
	if (!hpt->rev)
		goto free;

	ret = hvx_clear((void *)hpt->virt, 1ULL << order, progress);
	if (!ret)
		ret = hvx_clear(hpt->rev, rev_bytes, progress);
	if (ret)
		goto free;
	return 0;

free:
	hvx_hpt_free(hpt);
	return ret;
}

/**
 * hvx_hpt_free() - free a table
 * @hpt: the table; one without memory is left alone
 *
 * Context: may sleep. No CPU translates through it and no thread looks at it.
 */
void hvx_hpt_free(struct kvm_hpt_info *hpt)
{
	if (!hpt->virt)
		return;
	vfree(hpt->rev);
	if (hpt->cma)
		kvm_free_hpt_cma(virt_to_page((void *)hpt->virt),
				 1UL << (hpt->order - PAGE_SHIFT));
	else
		free_pages(hpt->virt, hpt->order - PAGE_SHIFT);
	memset(hpt, 0, sizeof(*hpt));
}

/**
 * hvx_hpt_absent() - say so if a VM has no table, before stock KVM frees it
 * @kvm: the VM
 *
 * kvmppc_free_hpt() leaves "cma" set in what it has freed. If no other table takes its
 * place, as when KVM_PPC_ALLOCATE_HTAB finds no memory or a VM turns radix and back,
 * the next call would free the page at address 0 to the CMA reserve, 1 << -16 of them.
 *
 * Context: may sleep; the hpt_lock is held, or nobody else uses the VM any more.
 */
void hvx_hpt_absent(struct kvm *kvm)
{
	mutex_lock(&kvm->arch.mmu_setup_lock);
	if (!kvm->arch.hpt.virt)
		kvm->arch.hpt.cma = 0;
	mutex_unlock(&kvm->arch.mmu_setup_lock);
}

/* How many memslots there are, and as of when. */
static unsigned int hvx_slots_count(struct kvm *kvm, u64 *generation)
{
	const struct kvm_memslots *slots;
	struct kvm_memory_slot *slot;
	unsigned int nr = 0;
	int bkt, idx;

	idx = srcu_read_lock(&kvm->srcu);
	slots = kvm_memslots(kvm);
	*generation = slots->generation;
	kvm_for_each_memslot(slot, bkt, slots)
		nr++;
	srcu_read_unlock(&kvm->srcu, idx);
	return nr;
}

/* Fills in the list, if it still is that of rmaps->generation. */
static bool hvx_slots_list(struct kvm *kvm, unsigned int nr,
			   struct hvx_rmaps *rmaps)
{
	const struct kvm_memslots *slots;
	struct kvm_memory_slot *slot;
	int bkt, idx;
	bool same;

	idx = srcu_read_lock(&kvm->srcu);
	slots = kvm_memslots(kvm);
	same = slots->generation == rmaps->generation;
	kvm_for_each_memslot(slot, bkt, slots) {
		if (!same || rmaps->nr == nr)
			break;
		rmaps->slot[rmaps->nr].memslot = slot;
		rmaps->slot[rmaps->nr].base_gfn = slot->base_gfn;
		rmaps->slot[rmaps->nr].npages = slot->npages;
		rmaps->nr++;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return same;
}

static int hvx_rmaps_compare(const void *a, const void *b)
{
	const struct hvx_rmap *x = a, *y = b;

	return x->base_gfn < y->base_gfn ? -1 : x->base_gfn > y->base_gfn;
}

/*
 * kvm->slots_lock is not taken for it: stock KVM holds that while it copies a dirty log
 * to the VMM's memory, and a VMM that lets it wait there is not to keep a worker.
 */
static struct hvx_rmaps *hvx_rmaps_list(struct kvm *kvm,
					struct hvx_progress *progress)
{
	struct hvx_rmaps *rmaps;
	u64 generation;
	unsigned int nr;

	while (!READ_ONCE(progress->cancel)) {
		nr = hvx_slots_count(kvm, &generation);
		rmaps = hvx_fail_alloc() ? NULL :
			kvzalloc(struct_size(rmaps, slot, max(nr, 1U)),
				 GFP_KERNEL_ACCOUNT);
		if (!rmaps)
			return ERR_PTR(-ENOMEM);
		rmaps->generation = generation;
		if (hvx_slots_list(kvm, nr, rmaps))
			return rmaps;
		/* A change ends the resize, unless it had begun before. */
		kvfree(rmaps);
	}
	return ERR_PTR(-ECANCELED);
}

/**
 * hvx_rmaps_alloc() - make an empty reverse map for every memslot there is
 * @kvm: the VM
 * @progress: says when to give up
 *
 * The memslots may change meanwhile and later: the generation tells.
 *
 * Context: may sleep.
 * Return: the reverse maps, or an error pointer: -ENOMEM, -ECANCELED.
 */
struct hvx_rmaps *hvx_rmaps_alloc(struct kvm *kvm,
				  struct hvx_progress *progress)
{
	struct hvx_rmaps *rmaps = hvx_rmaps_list(kvm, progress);
	unsigned int i;
	size_t bytes;

	if (IS_ERR(rmaps))
		return rmaps;
	sort(rmaps->slot, rmaps->nr, sizeof(rmaps->slot[0]), hvx_rmaps_compare,
	     NULL);
	for (i = 0; i < rmaps->nr; i++) {
		if (READ_ONCE(progress->cancel)) {
			hvx_rmaps_free(rmaps);
			return ERR_PTR(-ECANCELED);
		}
		bytes = array_size(rmaps->slot[i].npages, sizeof(unsigned long));
		rmaps->slot[i].rmap = hvx_fail_alloc() ? NULL :
			__vmalloc(bytes, HVX_GFP | __GFP_ZERO);
		if (!rmaps->slot[i].rmap) {
			hvx_rmaps_free(rmaps);
			return ERR_PTR(-ENOMEM);
		}
	}
	return rmaps;
}

/**
 * hvx_rmaps_free() - free reverse maps
 * @rmaps: the reverse maps, or NULL
 *
 * Context: may sleep.
 */
void hvx_rmaps_free(struct hvx_rmaps *rmaps)
{
	unsigned int i;

	if (!rmaps)
		return;
	for (i = 0; i < rmaps->nr; i++)
		vfree(rmaps->slot[i].rmap);
	kvfree(rmaps);
}

/**
 * hvx_rmaps_search() - the reverse maps of the memslot that a guest page is in
 * @rmaps: the reverse maps
 * @gfn: the page
 *
 * A VMM may have tens of thousands of memslots, and this is part of an hcall. For
 * hvx_rmaps_find().
 *
 * Context: any.
 * Return: those of the memslot, or NULL if there was none when they were made.
 */
struct hvx_rmap *hvx_rmaps_search(struct hvx_rmaps *rmaps, gfn_t gfn)
{
	unsigned int first = 0, n = rmaps->nr;

	/* The last one that begins no later is among n from first on, if any is. */
	while (n > 1) {
		if (rmaps->slot[first + n / 2].base_gfn <= gfn) {
			first += n / 2;
			n -= n / 2;
		} else {
			n /= 2;
		}
	}
	if (!hvx_rmap_has(&rmaps->slot[first], gfn))
		return NULL;
	WRITE_ONCE(rmaps->last, first);
	return &rmaps->slot[first];
}
