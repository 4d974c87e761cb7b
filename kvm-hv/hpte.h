/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The arithmetic of hash page table entries: formats, page sizes, and where an
 * entry goes when its table changes size.
 *
 * Nothing here knows of KVM, locks or memory: values go in, values come out.
 * The same source is built into the module and, without __KERNEL__, into the
 * unit tests on the build machine.
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

unsigned int hpte_base_shift(u64 v, u64 r);
unsigned int hpte_actual_shift(u64 v, u64 r);
u64 hpte_hash(u64 v, u64 r, u64 pteg);
u64 hpte_rehash(u64 v, u64 r, u64 index, unsigned int from, unsigned int to);
u64 hpte_absent_v(u64 v);
u64 hpte_absent_r(u64 v, u64 guest_r, bool mmio);
bool hpte_is_mmio(u64 v, u64 r);
bool hpte_same_page(u64 v1, u64 gr1, u64 v2, u64 gr2);
u64 hpte_v3_to_v2_v(u64 v, u64 r);
u64 hpte_v3_to_v2_r(u64 r);
u64 hpte_v2_to_v3_v(u64 v);
u64 hpte_v2_to_v3_r(u64 v, u64 r);

#endif /* KVM_HV_EXT_HPTE_H */
