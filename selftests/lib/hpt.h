/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hash page table as a guest sees it: entries, hcalls, resizing, and the
 * HTAB descriptor. Written from the Power ISA and PAPR, apart from the module's
 * own arithmetic, so that one can be checked against the other.
 */
#ifndef SELFTESTS_HPT_H
#define SELFTESTS_HPT_H

#include "types.h"

#define HPT_MIN_ORDER		18
#define HPT_MAX_ORDER		46	/* of the architecture */
#define KVM_MAX_ORDER		36	/* KVM's reverse maps: 2^32 entries */
#define HPTES_PER_GROUP		8

/* First doubleword, in the format of hcalls and of the HTAB descriptor. */
#define HPTE_V_1TB		BIT_ULL(62)
#define HPTE_V_AVPN_SHIFT	7
#define HPTE_V_BOLTED		0x10ull
#define HPTE_V_LARGE		0x4ull
#define HPTE_V_SECONDARY	0x2ull
#define HPTE_V_VALID		0x1ull
#define HPTE_V_HOST_BITS	0x60ull		/* KVM's lock and absent bits */

/* Second doubleword. */
#define HPTE_R_PP0		BIT_ULL(63)
#define HPTE_R_KEY_HI		(3ull << 60)
#define HPTE_R_RPN		0x0ffffffffffff000ull
#define HPTE_R_KEY_LO		0xe00ull
#define HPTE_R_R		0x100ull
#define HPTE_R_C		0x80ull
#define HPTE_R_I		0x20ull
#define HPTE_R_M		0x10ull
#define HPTE_R_G		0x8ull
#define HPTE_R_N		0x4ull
#define HPTE_R_PP		0x3ull
#define HPTE_R_RW		0x2ull		/* PP: all may read and write */
#define HPTE_R_RO		0x3ull		/* PP: all may read */

/* Segment lookaside buffer. */
#define SLBE_V			0x8000000ull
#define SLBV_1TB		BIT_ULL(62)
#define SLBV_L			0x100ull
#define SLBV_LP_64K		0x10ull

#define H_SUCCESS		0
#define H_BUSY			1
#define H_CLOSED		2
#define H_NOT_AVAILABLE		3
#define H_LONG_BUSY_FIRST	9900
#define H_LONG_BUSY_LAST	9905
#define H_FUNCTION		(-2)
#define H_PARAMETER		(-4)
#define H_PTEG_FULL		(-6)
#define H_NOT_FOUND		(-7)
#define H_NO_MEM		(-9)
#define H_RESOURCE		(-16)

#define H_REMOVE		0x04
#define H_ENTER			0x08
#define H_READ			0x0c
#define H_CLEAR_MOD		0x10
#define H_CLEAR_REF		0x14
#define H_PROTECT		0x18
#define H_PAGE_INIT		0x2c
#define H_BULK_REMOVE		0x124
#define H_RESIZE_HPT_PREPARE	0x36c
#define H_RESIZE_HPT_COMMIT	0x370

/* Flags, in r4. */
#define H_EXACT			BIT_ULL(39)
#define H_READ_4		BIT_ULL(37)
#define H_AVPN			BIT_ULL(31)
#define H_ANDCOND		BIT_ULL(30)
#define H_ICACHE_SYNCHRONIZE	BIT_ULL(22)
#define H_ZERO_PAGE		BIT_ULL(15)
#define H_COPY_PAGE		BIT_ULL(14)

/* H_BULK_REMOVE: each request is one of these and an index, then an AVPN. */
#define HBR_REQUEST		0x4000000000000000ull
#define HBR_END			0xc000000000000000ull
#define HBR_AVPN		0x0200000000000000ull
#define HBR_RESPONSE		0x8000000000000000ull
#define HBR_CODE		0x3000000000000000ull	/* 0: removed */

/* One page of a guest's virtual address space, and what it wants there. */
struct page {
	u64 vsid;
	u64 offset;	/* in the segment */
	u64 gpa;
	u64 prot;		/* HPTE_R_RW and so on */
	u8 base_shift;	/* page size the segment hashes by */
	u8 shift;		/* page size of this page */
	bool tera;		/* a segment of 1 TiB, else of 256 MiB */
	bool secondary;
	bool bolted;
};

u64 page_hash(const struct page *page);
u64 page_v(const struct page *page);
u64 page_r(const struct page *page);
u64 page_avpn(const struct page *page);
u64 hash_group(u64 hash, bool secondary, unsigned int order);
u64 vrma_hash(u64 page_nr);
bool is_vrma(u64 v);
u64 slb_vsid(u64 vsid, unsigned int base_shift, bool tera);

struct vm;
struct vcpu;

/* vcpu.c */
void vcpu_map(struct vcpu *vcpu, const struct page *page);

/* resize.c */
int resize_prepare_once(struct vcpu *vcpu, u64 flags, u64 shift);
int resize_prepare(struct vcpu *vcpu, u64 shift);
int resize_commit_running(struct vcpu *vcpu, u64 shift);
int resize_commit_flags(struct vcpu *vcpu, u64 flags, u64 shift);
int resize_commit(struct vcpu *vcpu, u64 shift);
int resize(struct vcpu *vcpu, u64 shift);
int hcall_errno(long status);

/* htab.c */
struct hpte {
	u64 v;
	u64 r;
};

struct hpte *htab_read(struct vm *vm);
int htab_fd(struct vm *vm, u64 flags);
unsigned int htab_order(struct vm *vm);
void htab_write(struct vm *vm, u64 index, const struct hpte *hpte);

#endif /* SELFTESTS_HPT_H */
