// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with data translation on goes through thousands of pages, while its
 * HPT grows and shrinks: every load sees the page it should, no removed mapping
 * comes back, and what was bolted needs no fault to be there.
 */
#include <errno.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "vmm.h"

#define MAPPINGS	1536
#define SEGMENTS	2	/* one of 256 MiB, one of 1 TiB */
#define RAM		(32 * MIB)
#define HUGE_GPA	GIB
#define HUGE_SIZE	(32 * MIB)
#define FRAME		4096ul

/* Made by the VMM, carried out and then kept by the guest. */
struct mapping {
	struct page page;
	u64 ea;
	u8 slot;
	bool mapped;
};

static struct mapping mappings[MAPPINGS];

/* What the guest reports. */
static struct {
	u64 loads;
	u64 stores;
	u64 lost;		/* not bolted, gone, entered again */
	u64 lost_bolted;
	u64 wrong;		/* another page's data */
	u64 revived;		/* removed, and yet translated */
	u64 wrong_ea;
} seen;

static bool guest_enter(struct mapping *map, u64 order)
{
	struct page *page = &map->page;
	unsigned int hash;

	/* Primary hash first, then the secondary one, as an OS does. */
	for (hash = 0; hash < 2; hash++) {
		u64 group, regs[9] = { 0 };
		long ret;

		page->secondary = hash;
		group = hash_group(page_hash(page), hash, order);
		regs[1] = group * HPTES_PER_GROUP;
		regs[2] = page_v(page);
		regs[3] = page_r(page);
		ret = guest_hcall(H_ENTER, regs);
		if (ret == H_PTEG_FULL)
			continue;
		GUEST_ASSERT_EQ(H_SUCCESS, ret);
		GUEST_ASSERT_EQ(group, regs[0] / HPTES_PER_GROUP);
		map->slot = regs[0] % HPTES_PER_GROUP;
		map->mapped = true;
		return true;
	}
	map->mapped = false;
	return false;
}

/* As an OS does: by the slot it remembers, in the group that hashing gives. */
static void guest_remove(struct mapping *map, u64 order)
{
	struct page *page = &map->page;
	u64 group = hash_group(page_hash(page), page->secondary, order);
	long ret = guest_hcall4(H_REMOVE, H_AVPN,
				group * HPTES_PER_GROUP + map->slot,
				page_avpn(page), 0);

	if (ret == H_NOT_FOUND && !page->bolted)
		seen.lost++;
	else
		GUEST_ASSERT_EQ(H_SUCCESS, ret);
	map->mapped = false;
}

static void guest_touch(struct mapping *map, u64 order, u64 *random)
{
	u64 frames = 1ull << (map->page.base_shift - 12);
	u64 frame = guest_random(random) % frames * FRAME;
	u64 in_page = (1ull << map->page.shift) - 1;
	u64 ea = map->ea + frame, val = 0;
	u64 gpa = map->page.gpa | (ea & in_page);

	if (!guest_load(ea, &val)) {
		if (!map->mapped)
			return;
		if (map->page.bolted)
			seen.lost_bolted++;
		seen.lost++;
		if (!guest_enter(map, order))
			return;
		if (!guest_load(ea, &val))
			guest_fail(__LINE__, ea, gpa);
	} else if (!map->mapped) {
		seen.revived++;
		seen.wrong_ea = ea;
		return;
	}
	seen.loads++;
	if (val != gpa) {
		seen.wrong++;
		seen.wrong_ea = ea;
	}
	/* The VMM finds this by guest address. */
	if (guest_random(random) % 4)
		return;
	seen.stores++;
	if (!guest_store(ea + 8, gpa ^ order))
		guest_fail(__LINE__, ea, gpa);
}

static void guest_map_all(u64 order)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		guest_enter(&mappings[i], order);
}

/* Touch everything, then unmap and map some of it. */
static void guest_round(u64 order, u64 seed)
{
	unsigned int i;

	for (i = 0; i < MAPPINGS; i++)
		guest_touch(&mappings[i], order, &seed);
	for (i = 0; i < MAPPINGS; i++) {
		if (guest_random(&seed) % 8)
			continue;
		if (mappings[i].mapped)
			guest_remove(&mappings[i], order);
		else
			guest_enter(&mappings[i], order);
		guest_touch(&mappings[i], order, &seed);
	}
}

FIXTURE(translate)
{
	struct vm *vm;
	struct vcpu *vcpu;
};

FIXTURE_VARIANT(translate)
{
	u8 base_shift;
	u8 shift;
	enum vm_road road;
};

FIXTURE_VARIANT_ADD(translate, page_4k)
{
	.base_shift = 12,
	.shift = 12,
};

FIXTURE_VARIANT_ADD(translate, page_64k)
{
	.base_shift = 16,
	.shift = 16,
};

FIXTURE_VARIANT_ADD(translate, page_64k_by_hcall)
{
	.base_shift = 16,
	.shift = 16,
	.road = ROAD_HCALL,
};

FIXTURE_VARIANT_ADD(translate, page_64k_in_4k)
{
	.base_shift = 12,
	.shift = 16,
};

FIXTURE_VARIANT_ADD(translate, page_16m)
{
	.base_shift = 24,
	.shift = 24,
};

FIXTURE_VARIANT_ADD(translate, page_16m_in_64k)
{
	.base_shift = 16,
	.shift = 24,
};

FIXTURE_VARIANT_ADD(translate, page_16m_in_4k)
{
	.base_shift = 12,
	.shift = 24,
};

/* Every 4 KiB of guest memory knows its address. */
static void stamp(struct vm *vm, unsigned long gpa, unsigned long size)
{
	unsigned long end = gpa + size;

	for (; gpa < end; gpa += FRAME)
		*(u64 *)vm_host(vm, gpa) = gpa;
}

static void make_mappings(struct vm *vm, u8 base_shift, u8 shift, u64 *random)
{
	u64 vsid[SEGMENTS], slbe[SEGMENTS], slbv[SEGMENTS];
	bool huge = shift == 24;
	u64 first = huge ? HUGE_GPA : GUEST_DATA;
	u64 frames = ((huge ? HUGE_SIZE : RAM - GUEST_DATA) >> shift);
	struct mapping *map = vm_guest(vm, mappings[0]);
	unsigned int i;

	for (i = 0; i < SEGMENTS; i++) {
		bool tera = i;
		u64 esid = 3ull << (tera ? 40 : 28);

		vsid[i] = guest_random(random) >> 40;
		slbe[i] = esid | SLBE_V;
		slbv[i] = slb_vsid(vsid[i], base_shift, tera);
	}
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_set_slb(&vm->vcpu[i], SEGMENTS, slbe, slbv);

	for (i = 0; i < MAPPINGS; i++, map++) {
		bool tera = i & 1;
		u64 nr = i, part;

		/* A segment of 256 MiB has only 16 pages of 16 MiB. */
		if (huge && !tera && nr >= 16)
			tera = true;
		map->page = (struct page){
			.vsid = vsid[tera],
			.offset = nr << shift,
			.gpa = first + (guest_random(random) % frames << shift),
			.prot = HPTE_R_RW,
			.base_shift = base_shift,
			.shift = shift,
			.tera = tera,
			.bolted = !(guest_random(random) & 15),
		};
		/* Spread over 1 TiB where there is as much, and over groups. */
		if (tera && !huge)
			map->page.offset |= nr * 5 << 27;
		/* An HPTE serves just the base page it was hashed for. */
		part = guest_random(random) % (1ull << (shift - base_shift));
		map->page.offset |= part << base_shift;
		map->ea = (3ull << (tera ? 40 : 28)) + map->page.offset;
	}
}

FIXTURE_SETUP(translate)
{
	const char *why = vmm_lacks(variant->road);
	unsigned long page = sysconf(_SC_PAGESIZE);
	bool huge = variant->shift == 24;

	if (why)
		SKIP(return, "%s", why);
	if (huge && !huge_reserve(24, HUGE_SIZE))
		SKIP(return, "no 16 MiB pages in hugetlbfs here");
	if (!huge && page < 1ul << variant->shift)
		SKIP(return, "host pages are smaller than 64 KiB");
	self->vm = vm_create(.order = 20, .ram = RAM, .road = variant->road);
	self->vcpu = &self->vm->vcpu[0];
	stamp(self->vm, GUEST_DATA, RAM - GUEST_DATA);
	if (huge) {
		vm_slot_add(self->vm, 1, HUGE_GPA, HUGE_SIZE, 16 * MIB, 0);
		stamp(self->vm, HUGE_GPA, HUGE_SIZE);
	}
}

FIXTURE_TEARDOWN(translate)
{
	vm_destroy(self->vm);
	if (variant->shift == 24)
		huge_release(24);
}

/* What the guest stored by its mappings is where it belongs. */
static unsigned int strays(struct vm *vm, u64 gpa, u64 size)
{
	unsigned int n = 0;
	u64 end = gpa + size;

	for (; gpa < end; gpa += FRAME) {
		const u64 *frame = vm_host(vm, gpa);

		n += frame[0] != gpa;
		n += frame[1] && ((frame[1] ^ gpa) < HPT_MIN_ORDER ||
				  (frame[1] ^ gpa) > HPT_MAX_ORDER);
	}
	return n;
}

TEST_F_TIMEOUT(translate, touch, 300)
{
	unsigned int i, n = scaled(8), shrunk = 0, refused = 0, grown = 0;
	bool mirror = self->vm->strategy == KVM_PPC_HPT_RESIZE_MIRROR;
	typeof(seen) *saw = vm_guest(self->vm, seen);
	struct vcpu *vcpu = self->vcpu;
	u64 random = test_seed();

	make_mappings(self->vm, variant->base_shift, variant->shift, &random);
	vcpu_call(vcpu, guest_map_all, self->vm->order, 0);
	vcpu_call(vcpu, guest_round, self->vm->order, guest_random(&random));
	EXPECT_EQ(0, saw->lost);

	for (i = 0; i < n; i++) {
		unsigned int from = self->vm->order;
		unsigned int order = HPT_MIN_ORDER + guest_random(&random) % 5;
		u64 lost = saw->lost;
		int ret;

		if (order == from)
			order++;
		ret = resize(vcpu, order);
		/* Two bolted entries may meet on a shrink, never on a growth. */
		if (ret)
			ASSERT_EQ(-ENOSPC, ret);
		if (order > from)
			ASSERT_EQ(0, ret);
		grown += order > from;
		shrunk += order < from && !ret;
		refused += !!ret;

		vcpu_call(vcpu, guest_round, self->vm->order,
			  guest_random(&random));
		ASSERT_EQ(0, saw->wrong) TH_LOG("at %#lx", (long)saw->wrong_ea);
		ASSERT_EQ(0, saw->revived) TH_LOG("at %#lx", (long)saw->wrong_ea);
		ASSERT_EQ(0, saw->lost_bolted);
		/* Nothing changed, or all of it was carried over. */
		if (ret || (mirror && order > from))
			EXPECT_EQ(lost, saw->lost);
	}
	EXPECT_EQ(0, strays(self->vm, GUEST_DATA, RAM - GUEST_DATA));
	if (variant->shift == 24)
		EXPECT_EQ(0, strays(self->vm, HUGE_GPA, HUGE_SIZE));
	EXPECT_GT(saw->stores, 0);
	TH_LOG("%u growths, %u shrinks, %u refused; %lu loads, %lu entered again",
	       grown, shrunk, refused, (long)saw->loads, (long)saw->lost);
}

TEST_HARNESS_MAIN
