// SPDX-License-Identifier: GPL-2.0
/*
 * What backs a VM's memory, judged as the hardware will see it: how large the
 * pages of the mapping are, and whether they lie the same way in host and guest
 * address space. A large page of the guest needs both.
 *
 * hugetlbfs is taken at its word. THP is only a hint (MADV_HUGEPAGE), so the page
 * tables decide: memory that is there has to be in large pages. If none is there yet,
 * one page is faulted in, and its size counts.
 */
#include <linux/hugetlb.h>
#include <linux/huge_mm.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/userfaultfd_k.h>

#include "base/base.h"
#include "memory/backing.h"

enum hvx_kind {
	HVX_KIND_NONE,		/* no mapping at all */
	HVX_KIND_DEVICE,	/* not memory: no page of the guest's linear map */
	HVX_KIND_ANON,
	HVX_KIND_PRIVATE,	/* a file, copied on write */
	HVX_KIND_SHARED,	/* a file, memfd or shared anonymous memory */
	HVX_KIND_HUGETLB_PRIVATE,
	HVX_KIND_HUGETLB_SHARED,
};

static const char *const hvx_kind_names[] = {
	[HVX_KIND_NONE] = "none",
	[HVX_KIND_DEVICE] = "device",
	[HVX_KIND_ANON] = "anonymous",
	[HVX_KIND_PRIVATE] = "private-file",
	[HVX_KIND_SHARED] = "shared",
	[HVX_KIND_HUGETLB_PRIVATE] = "hugetlb-private",
	[HVX_KIND_HUGETLB_SHARED] = "hugetlb-shared",
};

/* A part of a memslot with one mapping behind it. */
struct hvx_piece {
	unsigned long start, end;	/* host addresses */
	enum hvx_kind kind;
	unsigned int shift;		/* page size of the mapping; 0: none */
	bool thp;			/* asks for PMD-sized pages, and has room */
	bool uffd;			/* user space provides what is not there */
};

/* How many entries a walk looks at with interrupts off. */
#define HVX_WALK_BATCH	64

/* Whether an entry above the last level leads to a table, not to a page. */
static bool hvx_is_table(unsigned long entry, bool leaf)
{
#ifdef is_hugepd
	/* Until 6.11, hash: a table of large pages, with a size of its own. */
	if (is_hugepd(__hugepd(entry)))
		return false;
#endif
	return entry && !leaf;
}

/* An address has no page table: the last address for which that is so. */
static unsigned long hvx_walk_skip(struct mm_struct *mm, unsigned long addr)
{
	p4d_t p4d = READ_ONCE(*p4d_offset(pgd_offset(mm, addr), addr));
	pud_t pud;

	if (!p4d_val(p4d))
		return addr | ~P4D_MASK;
	if (!hvx_is_table(p4d_val(p4d), p4d_leaf(p4d)))
		return addr | ~PAGE_MASK;
	pud = READ_ONCE(*pud_offset(&p4d, addr));
	if (!pud_val(pud))
		return addr | ~PUD_MASK;
	if (!hvx_is_table(pud_val(pud), pud_leaf(pud)))
		return addr | ~PAGE_MASK;
	return addr | ~PMD_MASK;
}

/**
 * hvx_backing_walk() - count what the page tables hold
 * @mm: whose; not necessarily the caller's
 * @start: first host address
 * @end: first address behind
 * @count: bytes by kind of entry; added to
 *
 * The walk is the lockless one, so what changes meanwhile may be seen either way.
 * It takes a step for each entry that there is, and one for each table that could
 * be there and is not: address space without memory costs next to nothing.
 *
 * Context: may sleep. The page tables stay: the caller holds mm_users, or runs as
 * an MMU notifier of @mm.
 */
void hvx_backing_walk(struct mm_struct *mm, unsigned long start,
		      unsigned long end, struct hvx_backing_count *count)
{
	unsigned long addr = start, last, next, flags;
	unsigned int shift, i;
	pte_t *ptep, pte;

	while (addr < end) {
		/* Page tables are freed only after an IPI, so not under us. */
		local_irq_save(flags);
		for (i = 0; i < HVX_WALK_BATCH && addr < end; i++, addr = next) {
			ptep = __find_linux_pte(mm->pgd, addr, NULL, &shift);
			shift = shift ?: PAGE_SHIFT;
			last = ptep ? addr | (BIT(shift) - 1) :
				      hvx_walk_skip(mm, addr);
			next = min(last, end - 1) + 1;
			pte = ptep ? READ_ONCE(*ptep) : __pte(0);

			if (!ptep)
				count->no_table += next - addr;
			else if (pte_none(pte))
				count->none += next - addr;
			else if (pte_present(pte))
				count->present[shift] += next - addr;
			else if (shift == PAGE_SHIFT)
				count->away_small += next - addr;
			else
				count->away_large += next - addr;
		}
		local_irq_restore(flags);
		hvx_relax();
	}
}

static bool hvx_thp_fits(const struct vm_area_struct *vma, unsigned long start,
			 unsigned long end)
{
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ||
	    !has_transparent_hugepage() || !(vma->vm_flags & VM_HUGEPAGE))
		return false;
	/* A write to a private file mapping makes a small page. */
	if (vma->vm_file && !(vma->vm_flags & VM_SHARED))
		return false;
	/* What does not fill a large page at either end gets small ones. */
	return ALIGN_DOWN(start, HPAGE_PMD_SIZE) >= vma->vm_start &&
	       ALIGN(end, HPAGE_PMD_SIZE) <= vma->vm_end;
}

static enum hvx_kind hvx_kind_of(struct vm_area_struct *vma)
{
	bool shared = vma->vm_flags & VM_SHARED;

	if (is_vm_hugetlb_page(vma))
		return shared ? HVX_KIND_HUGETLB_SHARED :
				HVX_KIND_HUGETLB_PRIVATE;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return HVX_KIND_DEVICE;
	if (shared)
		return HVX_KIND_SHARED;
	return vma->vm_file ? HVX_KIND_PRIVATE : HVX_KIND_ANON;
}

/* The piece that begins at @start; sleeps for mmap_lock. */
static void hvx_piece_at(struct mm_struct *mm, unsigned long start,
			 unsigned long end, struct hvx_piece *piece)
{
	struct vm_area_struct *vma;

	*piece = (struct hvx_piece) { .start = start, .end = end };

	mmap_read_lock(mm);
	vma = find_vma(mm, start);
	if (!vma || vma->vm_start >= end) {
		;
	} else if (vma->vm_start > start) {
		piece->end = vma->vm_start;
	} else {
		piece->end = min(end, vma->vm_end);
		piece->kind = hvx_kind_of(vma);
		piece->shift = __ilog2_u64(vma_kernel_pagesize(vma));
		piece->thp = hvx_thp_fits(vma, start, piece->end);
		piece->uffd = userfaultfd_missing(vma);
	}
	mmap_read_unlock(mm);
}

/* A step of a walk that a fatal signal can end, in bytes. */
#define HVX_WALK_STEP		SZ_1G

/*
 * The page size that a piece with THP really has, as a shift; the mm is the current one.
 * The walk may be long, so a fatal signal ends it with -EINTR.
 *
 * THP puts a large page only where there is no page table yet. So an empty entry in a
 * page table counts as a small page. User space provides small pages only
 * (userfaultfd), and no fault is sent to it from here.
 */
static int hvx_thp_shift(struct mm_struct *mm, const struct hvx_piece *piece)
{
	struct hvx_backing_count count = { 0 };
	unsigned long addr, next;
	struct page *page;

	for (addr = piece->start; addr < piece->end; addr = next) {
		if (fatal_signal_pending(current))
			return -EINTR;
		next = min(addr + HVX_WALK_STEP, piece->end);
		hvx_backing_walk(mm, addr, next, &count);
		if (count.present[PAGE_SHIFT] || count.none || count.away_small)
			return PAGE_SHIFT;
	}
	if (count.no_table && piece->uffd)
		return PAGE_SHIFT;
	if (count.no_table == piece->end - piece->start) {
		if (get_user_pages_fast(piece->start, 1, FOLL_WRITE, &page) != 1)
			return fatal_signal_pending(current) ? -EINTR : PAGE_SHIFT;
		put_page(page);
		hvx_backing_walk(mm, piece->start, piece->start + PAGE_SIZE,
				 &count);
		if (count.present[PAGE_SHIFT])
			return PAGE_SHIFT;
	}
	return PMD_SHIFT;
}

/*
 * The page size that stock KVM takes for the guest's real mode, from the mapping
 * of address 0, without a look at its alignment.
 */
static unsigned int hvx_vrma_shift(const struct hvx_range *mem,
				   const struct hvx_piece *piece)
{
	if (mem->gpa || piece->start != mem->hva || !piece->shift)
		return 12;
	return hvx_guest_shift(min(piece->shift, HVX_GUEST_SHIFT_MAX));
}

static const char hvx_uffd_remark[] = " (userfaultfd brings no huge pages)";

/**
 * hvx_backing_check() - whether memory carries pages of a size
 * @kvm: the VM; the caller runs in its mm
 * @mem: the memory, in use or not
 * @shift: the size, one that HPT guests have
 *
 * Device mappings pass: no linear map of memory lies there.
 *
 * Context: may sleep, faults in at most one page for a mapping with THP.
 * Return: 0, -EINVAL with a line in the log that says why, or -EINTR if the
 * process is being killed.
 */
int hvx_backing_check(struct kvm *kvm, const struct hvx_range *mem,
		      unsigned int shift)
{
	unsigned long hva, end = mem->hva + mem->size;
	struct hvx_piece piece;
	unsigned int align;
	int ret;

	for (hva = mem->hva; hva < end; hva = piece.end) {
		/* There may be a mapping for each page. */
		if (fatal_signal_pending(current))
			return -EINTR;
		hvx_relax();
		hvx_piece_at(kvm->mm, hva, end, &piece);
		if (piece.kind == HVX_KIND_DEVICE)
			continue;
		if (piece.thp && shift > piece.shift) {
			ret = hvx_thp_shift(kvm->mm, &piece);
			if (ret < 0)
				return ret;
			piece.shift = ret;
		}

		if (piece.shift < shift) {
			pr_warn_ratelimited("memslot %d: %s backing at %#lx has pages of %lu bytes, the limit needs %lu%s\n",
					    mem->slot, hvx_kind_names[piece.kind],
					    hva,
					    piece.shift ? BIT(piece.shift) : 0,
					    BIT(shift),
					    piece.uffd ? hvx_uffd_remark : "");
			return -EINVAL;
		}
		align = max(shift, hvx_vrma_shift(mem, &piece));
		if (((mem->gpa ^ mem->hva) | mem->gpa | mem->size) &
		    (BIT(align) - 1)) {
			pr_warn_ratelimited("memslot %d: guest address %#llx, host address %#lx and size %#lx are not aligned alike for pages of %lu bytes (backing has %lu)\n",
					    mem->slot, mem->gpa, mem->hva,
					    mem->size, BIT(align),
					    BIT(piece.shift));
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * hvx_backing_is_device() - whether a memslot is a device's and not memory
 * @kvm: the VM
 * @slot: the memslot
 *
 * Context: may sleep; kvm->srcu or kvm->slots_lock is held.
 * Return: true for the registers of an assigned device and the like.
 */
bool hvx_backing_is_device(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	struct hvx_piece piece;

	hvx_piece_at(kvm->mm, slot->userspace_addr,
		     slot->userspace_addr + (slot->npages << PAGE_SHIFT), &piece);
	return piece.kind == HVX_KIND_DEVICE;
}

static void hvx_show_sizes(struct seq_file *m,
			   const struct hvx_backing_count *count)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(count->present); i++)
		if (count->present[i])
			seq_printf(m, " %lu:%lu", BIT(i), count->present[i]);
	if (count->away_small || count->away_large)
		seq_printf(m, " away:%lu",
			   count->away_small + count->away_large);
	seq_putc(m, '\n');
}

/* Lines for a VM, as a VMM may have a mapping for each page of each memslot. */
#define HVX_SHOW_LINES	16384

/**
 * hvx_backing_show() - print what backs a VM's memory
 * @m: where
 * @kvm: the VM
 *
 * A line for each mapping behind each memslot: page is what the mapping
 * promises, misaligned how many bytes cannot use that (or the largest guest page
 * within it) for their place in the guest, and then how many bytes are there in
 * pages of which size.
 *
 * Context: may sleep, the longer the more memory there is.
 * Return: 0, or -EINTR if the reader is being killed.
 */
int hvx_backing_show(struct seq_file *m, struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	int bkt, idx, ret = 0, lines = 0;

	seq_puts(m, "# slot gpa size kind page thp misaligned page_size:bytes...\n");
	if (!mmget_not_zero(kvm->mm))
		return 0;
	idx = srcu_read_lock(&kvm->srcu);
	kvm_for_each_memslot(slot, bkt, kvm_memslots(kvm)) {
		u64 gpa = gfn_to_gpa(slot->base_gfn);
		unsigned long start = slot->userspace_addr;
		unsigned long end = start + (slot->npages << PAGE_SHIFT);
		unsigned long hva, apart = gpa ^ start;
		struct hvx_piece piece;

		for (hva = start; hva < end; hva = piece.end) {
			struct hvx_backing_count count = { 0 };
			unsigned int page;

			if (fatal_signal_pending(current))
				ret = -EINTR;
			else if (lines++ == HVX_SHOW_LINES)
				seq_puts(m, "# and more\n");
			/* If there is no room, this comes again with more. */
			if (ret || lines > HVX_SHOW_LINES ||
			    seq_has_overflowed(m))
				goto out;

			hvx_piece_at(kvm->mm, hva, end, &piece);
			hvx_backing_walk(kvm->mm, hva, piece.end, &count);
			page = piece.thp ? PMD_SHIFT : piece.shift;
			page = hvx_guest_shift(page);
			seq_printf(m, "%d %#llx %#lx %s %lu %d %#lx", slot->id,
				   gpa + (hva - start), piece.end - hva,
				   hvx_kind_names[piece.kind],
				   piece.shift ? BIT(piece.shift) : 0, piece.thp,
				   apart & (BIT(page) - 1) ? piece.end - hva : 0);
			hvx_show_sizes(m, &count);
			hvx_relax();
		}
	}
out:
	srcu_read_unlock(&kvm->srcu, idx);
	mmput(kvm->mm);
	return ret;
}
