// SPDX-License-Identifier: GPL-2.0
/*
 * A promise of large pages that stands on THP, and is about to break.
 *
 * THP comes when memory is touched, so it is gone where user space provides
 * the pages (userfaultfd, which has none of that size) or has taken its advice
 * back. A migration that ends as post-copy does all of it at the destination:
 * it gives all RAM back as soon as it begins; when the guest has been stopped
 * it takes the advice back and registers the RAM. Only the first comes while the
 * guest still runs elsewhere, so that is told here, before the first vCPU runs.
 *
 * Neither a registration nor advice invalidates anything, so both are found out
 * when memory goes next (watch.c), or when memory is checked (backing.c).
 */
#include <linux/hugetlb.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/ratelimit.h>
#include <linux/userfaultfd_k.h>

#include "base/base.h"
#include "memory/memory.h"

static const char *hvx_thp_why(struct hvx_vm *vm, struct vm_area_struct *vma)
{
	if (is_vm_hugetlb_page(vma) || vma->vm_flags & (VM_IO | VM_PFNMAP))
		return NULL;
	if (userfaultfd_missing(vma))
		return "it is registered with userfaultfd";
	if (!(vma->vm_flags & VM_HUGEPAGE))
		return "MADV_HUGEPAGE is no longer in force";
	if (!READ_ONCE(vm->memory->limit.ran))
		return "it was given back or split before the guest has run, as for post-copy";
	return NULL;
}

/**
 * hvx_thp_going() - memory has gone; tell if its large pages will not come back
 * @vm: the VM, which needs them
 * @slot: a memslot with some of the memory
 * @hva: where that begins
 *
 * One line for a VM. If others have the address space it is left for the next time:
 * one may be here on behalf of them.
 *
 * Context: may sleep; kvm->srcu is held.
 */
void hvx_thp_going(struct hvx_vm *vm, const struct kvm_memory_slot *slot,
		   unsigned long hva)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct mm_struct *mm = vm->kvm->mm;
	struct vm_area_struct *vma;
	const char *why = NULL;

	if (atomic_read(&vm->memory->limit.told) ||
	    gfn_to_gpa(slot->base_gfn) >= vm->memory->limit.device_base ||
	    !mmap_read_trylock(mm))
		return;
	vma = vma_lookup(mm, hva);
	if (vma)
		why = hvx_thp_why(vm, vma);
	mmap_read_unlock(mm);

	if (!why || !__ratelimit(&limit) || atomic_xchg(&vm->memory->limit.told, 1))
		return;
	pr_warn("VM of process %d: memslot %d: the transparent huge pages that its page-size limit needs will not come back: %s\n",
		vm->kvm->userspace_pid, slot->id, why);
}
