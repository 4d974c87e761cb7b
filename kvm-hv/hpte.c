// SPDX-License-Identifier: GPL-2.0
/*
 * The arithmetic of hash page table entries.
 */
#include "hpte.h"

/*
 * Page sizes are in the L bit of v and the LP field of r, which takes its bits
 * from the low end of the real page number. Only what KVM HV lets a guest
 * enter is decoded: 4k, 64k, 16M, 16G and the mixed sizes 64k and 16M in a 4k
 * segment, 16M in a 64k segment.
 */
static const struct {
	unsigned char mask;	/* bits of LP (r >> 12) that count */
	unsigned char lp;
	unsigned char base;
	unsigned char actual;
} hpte_lp[] = {
	{ 0xff, 0x00, 24, 24 },
	{ 0x0f, 0x01, 16, 16 },
	{ 0xff, 0x03, 34, 34 },
	{ 0x0f, 0x07, 12, 16 },
	{ 0xff, 0x08, 16, 24 },
	{ 0xff, 0x38, 12, 24 },
};

static int hpte_lp_find(u64 r)
{
	unsigned int i;

	for (i = 0; i < sizeof(hpte_lp) / sizeof(hpte_lp[0]); i++)
		if (((r >> 12) & hpte_lp[i].mask) == hpte_lp[i].lp)
			return i;
	return -1;
}

/**
 * hpte_base_shift() - page size that the hash and the segment use
 * @v: first doubleword
 * @r: second doubleword, the guest's view or the real one
 *
 * Return: log2 of the size in bytes, 0 for an encoding that is not supported.
 */
unsigned int hpte_base_shift(u64 v, u64 r)
{
	int i;

	if (!(v & HPT_V_LARGE))
		return 12;
	i = hpte_lp_find(r);
	return i < 0 ? 0 : hpte_lp[i].base;
}

/**
 * hpte_actual_shift() - page size that is really mapped
 * @v: first doubleword
 * @r: second doubleword, the guest's view or the real one
 *
 * Return: log2 of the size in bytes, 0 for an encoding that is not supported.
 */
unsigned int hpte_actual_shift(u64 v, u64 r)
{
	int i;

	if (!(v & HPT_V_LARGE))
		return 12;
	i = hpte_lp_find(r);
	return i < 0 ? 0 : hpte_lp[i].actual;
}

/**
 * hpte_hash() - the hash of an entry, as far as entry and place tell it
 * @v: first doubleword
 * @r: second doubleword
 * @pteg: number of the PTEG that holds the entry, in a table of any order
 *
 * The AVPN lacks the low 23 bits of the virtual address. Those that the hash
 * needs, 11 of them with 4k base pages and 7 with 64k ones, are in the PTEG
 * number, for even the smallest table has 11 bits of it. So the hash is known
 * in full, whatever the order (Power ISA v3.0B, Book III 5.7.9.2).
 *
 * Return: the hash; for a secondary entry the primary hash, not its complement.
 */
u64 hpte_hash(u64 v, u64 r, u64 pteg)
{
	unsigned int shift = hpte_base_shift(v, r);
	u64 avpn = (v & HPT_V_AVPN) >> HPT_V_AVPN_SHIFT;
	unsigned int seg_bits = v & HPT_V_B_1T ? 40 : 28;
	u64 vsid, vsid_hash, offset;

	if (v & HPT_V_SECONDARY)
		pteg = ~pteg;

	vsid = avpn >> (seg_bits - 23);
	vsid_hash = v & HPT_V_B_1T ? vsid ^ (vsid << 25) : vsid;
	offset = (avpn << 23) & ((1ULL << seg_bits) - 1);

	if (shift < 23)
		offset |= ((vsid_hash ^ pteg) << shift) & ((1ULL << 23) - 1);
	return vsid_hash ^ (offset >> shift);
}

/**
 * hpte_rehash() - where an entry goes in a table of another order
 * @v: first doubleword
 * @r: second doubleword
 * @index: the entry's index in the present table, in HPTEs
 * @from: order of the present table
 * @to: order of the other table
 *
 * The slot in the PTEG stays: a Linux guest remembers only that and which of
 * the two hashes it used, and so finds the entry again.
 *
 * The bits that both PTEG numbers have in common are carried over, not computed.
 * For an entry where the hardware can find it that is the same; a hostile guest
 * may have put one elsewhere (H_EXACT), and it stays as useless as it was.
 * So no two entries of a table ever meet in a larger one, and growing, then
 * shrinking, leads back to the start, whatever the guest entered.
 *
 * Return: the index in the other table, in HPTEs.
 */
u64 hpte_rehash(u64 v, u64 r, u64 index, unsigned int from, unsigned int to)
{
	u64 pteg = index >> HPT_PTEG_SHIFT;
	u64 slot = index & (HPT_PTEG_SLOTS - 1);
	u64 hash;

	if (to > from) {
		hash = hpte_hash(v, r, pteg);
		if (v & HPT_V_SECONDARY)
			hash = ~hash;
		pteg |= hash & hpt_pteg_mask(to) & ~hpt_pteg_mask(from);
	} else {
		pteg &= hpt_pteg_mask(to);
	}
	return (pteg << HPT_PTEG_SHIFT) | slot;
}

/**
 * hpte_absent_v() - first doubleword of an entry that has no host page yet
 * @v: first doubleword of the entry in any state
 *
 * Return: the same entry, unlocked and absent.
 */
u64 hpte_absent_v(u64 v)
{
	return (v & ~(HPT_V_VALID | HPT_V_HVLOCK)) | HPT_V_ABSENT;
}

/**
 * hpte_absent_r() - second doubleword of an entry that has no host page yet
 * @v: first doubleword
 * @guest_r: the guest's view of the second doubleword
 * @mmio: whether the entry maps emulated MMIO
 *
 * As H_ENTER leaves it: no host address, and the storage key says which kind
 * of absence this is: 31 for emulated MMIO, 0 for memory that is to be faulted
 * in. The page size bits stay, the fault path decodes them from here.
 *
 * Return: the second doubleword.
 */
u64 hpte_absent_r(u64 v, u64 guest_r, bool mmio)
{
	unsigned int shift = hpte_actual_shift(v, guest_r);

	guest_r &= ~HPT_GR_MODIFIED;
	if (mmio)
		return guest_r | HPT_R_KEY;
	return guest_r & (HPT_R_PP0 | (((1ULL << shift) - 1) & ~HPT_R_KEY));
}

/**
 * hpte_is_mmio() - whether an entry maps emulated MMIO
 * @v: first doubleword
 * @r: second doubleword as it is in the table
 *
 * Return: true if it is absent and marked with key 31.
 */
bool hpte_is_mmio(u64 v, u64 r)
{
	return (v & HPT_V_ABSENT) && (r & HPT_R_KEY) == HPT_R_KEY;
}

/**
 * hpte_same_page() - whether two entries are the same translation
 * @v1: first doubleword of the one
 * @gr1: guest's view of the second doubleword of the one
 * @v2: first doubleword of the other
 * @gr2: guest's view of the second doubleword of the other
 *
 * Protection, reference and change bits do not count, nor does presence.
 *
 * Return: true if both map the same virtual page to the same guest page.
 */
bool hpte_same_page(u64 v1, u64 gr1, u64 v2, u64 gr2)
{
	const u64 v_mask = ~(HPT_V_HVLOCK | HPT_V_ABSENT | HPT_V_VALID);

	return hpte_in_use(v1) && hpte_in_use(v2) &&
	       !((v1 ^ v2) & v_mask) && !((gr1 ^ gr2) & HPT_R_RPN);
}

/**
 * hpte_v3_to_v2_v() - first doubleword from ISA v3.0 to v2.07
 * @v: first doubleword, v3.0
 * @r: second doubleword, v3.0
 *
 * Return: the first doubleword with the segment size in it.
 */
u64 hpte_v3_to_v2_v(u64 v, u64 r)
{
	return (v & HPT_V3_V_COMMON) |
	       ((r & HPT_V3_R_B) << (HPT_V_B_SHIFT - HPT_V3_R_B_SHIFT));
}

/**
 * hpte_v3_to_v2_r() - second doubleword from ISA v3.0 to v2.07
 * @r: second doubleword, v3.0
 *
 * Return: the second doubleword without the segment size.
 */
u64 hpte_v3_to_v2_r(u64 r)
{
	return r & ~HPT_V3_R_B;
}

/**
 * hpte_v2_to_v3_v() - first doubleword from ISA v2.07 to v3.0
 * @v: first doubleword, v2.07
 *
 * Return: the first doubleword without the segment size and with the AVPN
 * that v3.0 has room for.
 */
u64 hpte_v2_to_v3_v(u64 v)
{
	return v & HPT_V3_V_COMMON;
}

/**
 * hpte_v2_to_v3_r() - second doubleword from ISA v2.07 to v3.0
 * @v: first doubleword, v2.07
 * @r: second doubleword, v2.07
 *
 * Return: the second doubleword with the segment size in it.
 */
u64 hpte_v2_to_v3_r(u64 v, u64 r)
{
	return (r & ~HPT_V3_R_B) | ((v >> HPT_V_B_SHIFT) << HPT_V3_R_B_SHIFT);
}
