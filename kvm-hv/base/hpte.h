/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of hash page table entries: formats, page sizes, and where an
 * entry goes when its table changes size.
 *
 * Nothing here knows of KVM, locks or memory: values go in, values come out.
 * The same source is built into the module and, without __KERNEL__, into the
 * unit tests on the build machine. All of it is inline, for COMMIT goes through
 * millions of entries with it while the guest waits.
 *
 * "v" and "r" are the two doublewords of an HPTE in host byte order and, unless
 * a name says otherwise, in the format of ISA v2.07, the one guests speak.
 * An order is log2 of a table's size in bytes; a PTEG holds 8 entries of
 * 16 bytes, so a table of order n has 2^(n - 7) PTEGs.
 */
#ifndef KVM_HV_EXT_HPTE_H
#define KVM_HV_EXT_HPTE_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
typedef uint64_t u64;
#endif

/* First doubleword: Power ISA v2.07B, Book III-S 5.7.7. */
#define HPT_V_B_SHIFT		62
#define HPT_V_B_1T		(1ULL << HPT_V_B_SHIFT)
#define HPT_V_AVPN		0x3fffffffffffff80ULL
#define HPT_V_AVPN_SHIFT	7
#define HPT_V_BOLTED		0x10ULL
#define HPT_V_LARGE		0x4ULL
#define HPT_V_SECONDARY		0x2ULL
#define HPT_V_VALID		0x1ULL
/* Software bits in which KVM HV keeps its lock and the not-present mark. */
#define HPT_V_HVLOCK		0x40ULL
#define HPT_V_ABSENT		0x20ULL

/* Second doubleword. */
#define HPT_R_PP0		(1ULL << 63)
#define HPT_R_KEY_HI		0x3000000000000000ULL
#define HPT_R_RPN		0x0ffffffffffff000ULL
#define HPT_R_KEY_LO		0x0e00ULL
#define HPT_R_KEY		(HPT_R_KEY_HI | HPT_R_KEY_LO)
#define HPT_R_R			0x100ULL
#define HPT_R_C			0x80ULL
#define HPT_R_RC		(HPT_R_R | HPT_R_C)
/* KVM HV's mark in the guest's view of r: changed since the last HTAB read. */
#define HPT_GR_MODIFIED		(1ULL << 62)

/* ISA v3.0 moved the segment size from v to r (Book III 5.7.9.1). */
#define HPT_V3_V_COMMON		0x000fffffffffffffULL
#define HPT_V3_R_B_SHIFT	58
#define HPT_V3_R_B		(3ULL << HPT_V3_R_B_SHIFT)

/* Limits of the architecture: 256 KiB to 64 TiB. */
#define HPT_ORDER_MIN		18
#define HPT_ORDER_MAX		46

#define HPT_HPTE_SHIFT		4	/* bytes in an HPTE, log2 */
#define HPT_PTEG_SHIFT		3	/* HPTEs in a PTEG, log2 */
#define HPT_PTEG_SLOTS		(1U << HPT_PTEG_SHIFT)

/**
 * hpt_nr_hptes() - entries in a table
 * @order: log2 of the table's size in bytes
 *
 * Return: the number of HPTEs.
 */
static inline u64 hpt_nr_hptes(unsigned int order)
{
	return 1ULL << (order - HPT_HPTE_SHIFT);
}

/**
 * hpt_pteg_mask() - mask that turns a hash into a PTEG number
 * @order: log2 of the table's size in bytes
 *
 * Return: the number of PTEGs less one.
 */
static inline u64 hpt_pteg_mask(unsigned int order)
{
	return (1ULL << (order - HPT_HPTE_SHIFT - HPT_PTEG_SHIFT)) - 1;
}

/**
 * hpte_in_use() - whether a slot holds something the guest entered
 * @v: first doubleword, either format
 *
 * Return: true for a valid entry and for one that KVM keeps as not present.
 */
static inline bool hpte_in_use(u64 v)
{
	return v & (HPT_V_VALID | HPT_V_ABSENT);
}

/**
 * hpte_absent_v() - first doubleword of an entry that has no host page yet
 * @v: first doubleword of the entry in any state
 *
 * Return: the same entry, unlocked and absent.
 */
static inline u64 hpte_absent_v(u64 v)
{
	return (v & ~(HPT_V_VALID | HPT_V_HVLOCK)) | HPT_V_ABSENT;
}

/**
 * hpte_is_mmio() - whether an entry maps emulated MMIO
 * @v: first doubleword
 * @r: second doubleword as it is in the table
 *
 * Return: true if it is absent and marked with key 31.
 */
static inline bool hpte_is_mmio(u64 v, u64 r)
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
static inline bool hpte_same_page(u64 v1, u64 gr1, u64 v2, u64 gr2)
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
static inline u64 hpte_v3_to_v2_v(u64 v, u64 r)
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
static inline u64 hpte_v3_to_v2_r(u64 r)
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
static inline u64 hpte_v2_to_v3_v(u64 v)
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
static inline u64 hpte_v2_to_v3_r(u64 v, u64 r)
{
	return (r & ~HPT_V3_R_B) | ((v >> HPT_V_B_SHIFT) << HPT_V3_R_B_SHIFT);
}

/*
 * Page sizes are in the L bit of v and the LP field of r, which takes its bits
 * from the low end of the real page number. Only what KVM HV lets a guest enter
 * is decoded: 4k, 64k, 16M, 16G and the mixed sizes 64k and 16M in a 4k segment,
 * 16M in a 64k segment. The base size is in the low byte, the actual one above.
 */
#define HPT_SHIFTS(base, actual)	((base) | (actual) << 8)

static inline unsigned int hpte_shifts(u64 v, u64 r)
{
	unsigned int lp = (r >> 12) & 0xff;

	if (!(v & HPT_V_LARGE))
		return HPT_SHIFTS(12, 12);

	switch (lp & 0xf) {
	case 0x1:
		return HPT_SHIFTS(16, 16);
	case 0x7:
		return HPT_SHIFTS(12, 16);
	}
	switch (lp) {
	case 0x00:
		return HPT_SHIFTS(24, 24);
	case 0x03:
		return HPT_SHIFTS(34, 34);
	case 0x08:
		return HPT_SHIFTS(16, 24);
	case 0x38:
		return HPT_SHIFTS(12, 24);
	}
	return 0;
}

/**
 * hpte_base_shift() - page size that the hash and the segment use
 * @v: first doubleword
 * @r: second doubleword, the guest's view or the real one
 *
 * Return: log2 of the size in bytes, 0 for an encoding that is not supported.
 */
static inline unsigned int hpte_base_shift(u64 v, u64 r)
{
	return hpte_shifts(v, r) & 0xff;
}

/**
 * hpte_actual_shift() - page size that is really mapped
 * @v: first doubleword
 * @r: second doubleword, the guest's view or the real one
 *
 * Return: log2 of the size in bytes, 0 for an encoding that is not supported.
 */
static inline unsigned int hpte_actual_shift(u64 v, u64 r)
{
	return hpte_shifts(v, r) >> 8;
}

/* Even the smallest table has these bits of the hash in its PTEG numbers. */
#define HPT_HASH_LOW		0x7ffULL

/**
 * hpte_hash_high() - the hash of an entry, but for its low 11 bits
 * @v: first doubleword
 * @r: second doubleword
 *
 * The AVPN lacks the low 23 bits of the virtual address, so that the hash lacks
 * 11 bits with 4k base pages, and 7 with 64k ones. The PTEG number that the entry
 * is found under has those, whatever the table's order. So together they tell the
 * hash in full (Power ISA v3.0B, Book III 5.7.9.2).
 *
 * Return: the hash without HPT_HASH_LOW; for a secondary entry that of the
 * primary hash, not its complement.
 */
static inline u64 hpte_hash_high(u64 v, u64 r)
{
	unsigned int seg_bits = v & HPT_V_B_1T ? 40 : 28;
	u64 avpn = (v & HPT_V_AVPN) >> HPT_V_AVPN_SHIFT;
	u64 vsid = avpn >> (seg_bits - 23);
	u64 offset = (avpn << 23) & ((1ULL << seg_bits) - 1);

	if (v & HPT_V_B_1T)
		vsid ^= vsid << 25;
	return (vsid ^ (offset >> hpte_base_shift(v, r))) & ~HPT_HASH_LOW;
}

/* What an entry's index in one table has to do with that in another. */
struct hpt_fold {
	u64 keep;	/* bits of the index in the other table, in HPTEs */
	u64 gain;	/* those of them that this table's index does not have */
};

/**
 * hpt_fold() - relate two tables
 * @from: order of the present table
 * @to: order of the other table
 *
 * Return: for hpte_refold().
 */
static inline struct hpt_fold hpt_fold(unsigned int from, unsigned int to)
{
	u64 keep = hpt_nr_hptes(to) - 1;

	return (struct hpt_fold) {
		.keep = keep,
		.gain = keep & ~(hpt_nr_hptes(from) - 1),
	};
}

/**
 * hpte_refold() - where an entry goes in another table
 * @v: first doubleword
 * @r: second doubleword
 * @index: the entry's index in the present table, in HPTEs
 * @fold: the two tables
 *
 * The slot in the PTEG stays: a Linux guest remembers only that and which of
 * the two hashes it used, and so finds the entry again.
 *
 * The bits that both indices have in common are carried over, not computed. For
 * an entry where the hardware can find it that is the same; a hostile guest may
 * have put one elsewhere (H_EXACT), and it stays as useless as it was. So no two
 * entries of a table ever meet in a larger one, and growing, then shrinking,
 * leads back to the start, whatever the guest entered.
 *
 * Return: the index in the other table, in HPTEs.
 */
static inline u64 hpte_refold(u64 v, u64 r, u64 index, struct hpt_fold fold)
{
	u64 hash;

	index &= fold.keep;
	if (!fold.gain)
		return index;
	hash = hpte_hash_high(v, r);
	if (v & HPT_V_SECONDARY)
		hash = ~hash;
	return index | ((hash << HPT_PTEG_SHIFT) & fold.gain);
}

/**
 * hpte_rehash() - where an entry goes in a table of another order
 * @v: first doubleword
 * @r: second doubleword
 * @index: the entry's index in the present table, in HPTEs
 * @from: order of the present table
 * @to: order of the other table
 *
 * Return: the index in the other table, in HPTEs.
 */
static inline u64 hpte_rehash(u64 v, u64 r, u64 index, unsigned int from,
			      unsigned int to)
{
	return hpte_refold(v, r, index, hpt_fold(from, to));
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
static inline u64 hpte_absent_r(u64 v, u64 guest_r, bool mmio)
{
	unsigned int shift = hpte_actual_shift(v, guest_r);

	if (mmio)
		return (guest_r & ~HPT_GR_MODIFIED) | HPT_R_KEY;
	/* Of the key, only its low part is within the largest page's offset. */
	return guest_r & (HPT_R_PP0 | (((1ULL << shift) - 1) & ~HPT_R_KEY_LO));
}

#endif /* KVM_HV_EXT_HPTE_H */
