// SPDX-License-Identifier: GPL-2.0
/* Entries and hashes, for the guest and for the oracle. */
#include "hpt.h"

#define SEGMENT_SHIFT		28
#define SEGMENT_SHIFT_1T	40
#define AVPN_VA_SHIFT		23
#define VRMA_VSID		0x1ffffffull

static unsigned int segment_shift(const struct page *page)
{
	return page->tera ? SEGMENT_SHIFT_1T : SEGMENT_SHIFT;
}

static u64 hash(u64 vsid, u64 page_nr, bool tera)
{
	if (tera)
		vsid ^= vsid << 25;
	return vsid ^ page_nr;
}

/**
 * page_hash() - the whole hash of a page, of which an HPT uses the low bits
 * @page: the page
 *
 * Power ISA v3.0B Book III 5.7.9.2.
 *
 * Return: the primary hash; the secondary one is its complement.
 */
u64 page_hash(const struct page *page)
{
	return hash(page->vsid, page->offset >> page->base_shift, page->tera);
}

/**
 * vrma_hash() - the hash of a page of the virtual real mode area
 * @page_nr: guest address divided by the page size
 *
 * Return: the primary hash.
 */
u64 vrma_hash(u64 page_nr)
{
	return hash(VRMA_VSID, page_nr, true);
}

/**
 * is_vrma() - whether an entry maps the virtual real mode area
 * @v: its first doubleword
 *
 * Those are the host's; without them the guest runs no more.
 *
 * Return: true if so.
 */
bool is_vrma(u64 v)
{
	const u64 vsid = VRMA_VSID << (SEGMENT_SHIFT_1T - AVPN_VA_SHIFT +
				       HPTE_V_AVPN_SHIFT);

	return (v & HPTE_V_1TB) && (v & vsid) == vsid;
}

/**
 * hash_group() - where a hash leads
 * @hash: a primary hash
 * @secondary: whether to complement it
 * @order: log2 of the HPT's size in bytes; a group takes 128 of them
 *
 * Return: index of the group; its entries are at eight times that.
 */
u64 hash_group(u64 hash, bool secondary, unsigned int order)
{
	return (secondary ? ~hash : hash) & ((1ull << (order - 7)) - 1);
}

/* The LP field for a page size in a segment, ISA figure 41 by POWER8's table. */
static u64 lp_field(unsigned int base_shift, unsigned int shift)
{
	if (base_shift == 12)
		return shift == 12 ? 0 : shift == 16 ? 0x7 : 0x38;
	if (base_shift == 16)
		return shift == 16 ? 0x1 : 0x8;
	return 0;
}

/**
 * page_avpn() - what H_AVPN compares: the first doubleword without its flags
 * @page: the page
 *
 * Return: abbreviated virtual page number and segment size, in place.
 */
u64 page_avpn(const struct page *page)
{
	u64 avpn = (page->offset >> AVPN_VA_SHIFT) |
			(page->vsid << (segment_shift(page) - AVPN_VA_SHIFT));

	avpn &= ~(((1ull << page->base_shift) - 1) >> AVPN_VA_SHIFT);
	return (avpn << HPTE_V_AVPN_SHIFT) | (page->tera ? HPTE_V_1TB : 0);
}

/**
 * page_v() - the first doubleword
 * @page: the page
 *
 * Return: as H_ENTER wants it, valid.
 */
u64 page_v(const struct page *page)
{
	u64 v = page_avpn(page) | HPTE_V_VALID;

	if (page->shift > 12)
		v |= HPTE_V_LARGE;
	if (page->secondary)
		v |= HPTE_V_SECONDARY;
	if (page->bolted)
		v |= HPTE_V_BOLTED;
	return v;
}

/**
 * page_r() - the second doubleword
 * @page: the page
 *
 * Return: as H_ENTER wants it, of memory unless @page's prot says HPTE_R_I.
 */
u64 page_r(const struct page *page)
{
	u64 rpn = page->gpa & -(1ull << page->shift);

	return rpn | (lp_field(page->base_shift, page->shift) << 12) |
	       (page->prot & HPTE_R_I ? 0 : HPTE_R_M) | page->prot;
}

/**
 * slb_vsid() - the RS operand of slbmte
 * @vsid: virtual segment
 * @base_shift: its base page size
 * @tera: its size
 *
 * Return: VSID, sizes, and keys such that PP alone decides.
 */
u64 slb_vsid(u64 vsid, unsigned int base_shift, bool tera)
{
	u64 slbv = tera ? SLBV_1TB | (vsid << 24) : vsid << 12;

	if (base_shift == 16)
		slbv |= SLBV_L | SLBV_LP_64K;
	else if (base_shift == 24)
		slbv |= SLBV_L;
	return slbv;
}
