// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile guests: vCPUs make random HPT and resize hcalls, with random and
 * boundary arguments, while the VMM resizes, too. The host's log stays clean,
 * and what the oracle knows of is untouched.
 *
 * KVM_HV_EXT_SEED repeats a run (exactly, as far as one vCPU goes).
 */
#include <errno.h>
#include <string.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "view.h"
#include "vmm.h"

#define ORDER		20
#define PAGES		512
#define SLOT		1
#define GPA		(256 * MIB)
#define HOT_GROUPS	64	/* where vCPUs get in each other's way */

/* Slots of a group: 3 is the view's and 7 the VRMA's, known to the oracle. */
static const u8 fair_game[] = { 0, 1, 2, 4, 5, 6 };

static struct view guest_view;
static u64 answers[VM_MAX_VCPUS][8];	/* by status: for a look at coverage */

enum answer {
	SUCCESS, NOT_FOUND, PTEG_FULL, PARAMETER, CLOSED, BUSY, LONG_BUSY, OTHER,
};

static enum answer classify(long status)
{
	switch (status) {
	case H_SUCCESS:
		return SUCCESS;
	case H_NOT_FOUND:
		return NOT_FOUND;
	case H_PTEG_FULL:
		return PTEG_FULL;
	case H_PARAMETER:
		return PARAMETER;
	case H_CLOSED:
		return CLOSED;
	case H_BUSY:
		return BUSY;
	case H_LONG_BUSY_FIRST ... H_LONG_BUSY_LAST:
		return LONG_BUSY;
	default:
		return OTHER;
	}
}

/* Any index but those of the oracle's entries, in or out of the HPT. */
static u64 some_index(u64 *random)
{
	u64 r = guest_random(random);
	u64 slot = fair_game[(r >> 32) % ARRAY_SIZE(fair_game)];
	u64 group;

	switch (r % 16) {
	case 0:
		/* Around the end of an HPT of any order. */
		group = (1ull << (11 + (r >> 8) % 8)) - (r >> 4 & 1);
		break;
	case 1:
		group = guest_random(random);
		break;
	case 2:
		group = 1ull << (r >> 8) % 61;
		break;
	case 3 ... 9:
		group = (r >> 8) % HOT_GROUPS;
		break;
	default:
		group = (r >> 8) & 0x1fff;
		break;
	}
	return (group << 3) + slot;
}

static u64 some_word(u64 *random)
{
	static const u64 words[] = {
		0, 1, ~0ull, 1ull << 63, 1ull << 31, 1ull << 32, 0xffff,
	};
	u64 r = guest_random(random);

	return r & 7 ? guest_random(random) : words[(r >> 8) % ARRAY_SIZE(words)];
}

/* Mostly what an honest guest could want, or nearly so. */
static void some_entry(u64 *random, u64 *v, u64 *r)
{
	static const u8 sizes[][2] = {
		{ 12, 12 }, { 12, 16 }, { 12, 24 },
		{ 16, 16 }, { 16, 24 }, { 24, 24 },
	};
	u64 n = guest_random(random);
	struct page page = {
		.vsid = n & 3,
		.offset = n >> 8 & 0xfffffff,
		.gpa = n & 0x40 ? guest_random(random) & 0xffffffffff :
		       GPA + (n >> 16 & 0xffffff),
		.base_shift = sizes[n % 6][0],
		.shift = sizes[n % 6][1],
		.tera = n & 0x10,
		.secondary = n & 0x20,
		.bolted = !(n >> 40 & 15),
		.prot = n >> 48 & 7,
	};

	*v = page_v(&page);
	*r = page_r(&page);
	if (n >> 60 < 2)
		*v ^= guest_random(random) & guest_random(random);
	if (n >> 60 > 13)
		*r ^= guest_random(random) & guest_random(random);
	/* Not the VRMA: the guest would lose the ground it stands on. */
	if (is_vrma(*v))
		*v &= ~HPTE_V_1TB;
}

static u64 some_shift(u64 *random)
{
	static const u64 shifts[] = {
		1, 17, 46, 47, 1ull << 63, (1ull << 32) + 20, ~0ull, 0,
	};
	u64 r = guest_random(random);

	if (r & 7)
		return HPT_MIN_ORDER + (r >> 8) % 5;
	return shifts[(r >> 8) % ARRAY_SIZE(shifts)];
}

static long some_hcall(u64 *random, bool may_resize)
{
	u64 flags = guest_random(random) % 4 ? 0 : some_word(random);
	u64 regs[9] = { flags, some_index(random), some_word(random) };
	u64 n = guest_random(random);
	unsigned int i;

	switch (n % 16) {
	case 0 ... 5:
		some_entry(random, &regs[2], &regs[3]);
		/* Without it KVM may choose the oracle's slots. */
		regs[0] |= H_EXACT;
		return guest_hcall(H_ENTER, regs);
	case 6 ... 7:
		if (n & 0x100)
			regs[0] &= ~(H_AVPN | H_ANDCOND);
		return guest_hcall(H_REMOVE, regs);
	case 8:
		for (i = 0; i < 8; i += 2) {
			u64 type = n >> (16 + i) & 3 ? HBR_REQUEST :
				   some_word(random) & HBR_END;

			regs[i] = type | (some_index(random) & ~0ull >> 8) |
				  (some_word(random) & 3ull << 56);
			regs[i + 1] = some_word(random);
		}
		return guest_hcall(H_BULK_REMOVE, regs);
	case 9 ... 10:
		return guest_hcall(H_PROTECT, regs);
	case 11:
		return guest_hcall(H_READ, regs);
	case 12:
		return guest_hcall(n & 0x100 ? H_CLEAR_MOD : H_CLEAR_REF, regs);
	case 13 ... 14:
		if (!may_resize || n >> 8 & 3)
			return guest_hcall(H_READ, regs);
		if (n & 0x8000)
			regs[0] = 0;
		regs[1] = some_shift(random);
		return guest_hcall(n & 0x10000 ? H_RESIZE_HPT_PREPARE :
				   H_RESIZE_HPT_COMMIT, regs);
	default:
		/* Hcalls that are the VMM's, or nobody's. */
		return guest_hcall(n & 0x100 ? 0x358 : 0xfffc, regs);
	}
}

static void guest_fuzz(u64 seed, u64 work)
{
	bool may_resize = work >> 63;
	unsigned int vcpu = work >> 56 & 0x7f;
	u64 n = work & ~0ull >> 8;

	while (n--)
		answers[vcpu][classify(some_hcall(&seed, may_resize))]++;
}

static u64 guest_check_view(void)
{
	unsigned int nr, wrong = 0;

	for (nr = 0; nr < guest_view.pages; nr++) {
		u64 ea = view_ea(&guest_view, nr), val = 0;

		wrong += !guest_load(ea, &val) || val != nr;
	}
	return wrong;
}

FIXTURE(fuzz)
{
	struct table *table;
	struct vm *vm;
	unsigned int workers;
	int kmsg;
};

FIXTURE_VARIANT(fuzz)
{
	unsigned int vcpus;
	enum vm_road road;
	bool vmm_resizes;
};

FIXTURE_VARIANT_ADD(fuzz, vcpus_1)
{
	.vcpus = 1,
	.road = ROAD_HCALL,
};

FIXTURE_VARIANT_ADD(fuzz, vcpus_4)
{
	.vcpus = 4,
	.road = ROAD_HCALL,
	.vmm_resizes = true,
};

FIXTURE_SETUP(fuzz)
{
	/* A guest that enters a page twice can stop stock KVM, see below. */
	const char *why = vmm_lacks_ext(variant->road);
	unsigned long size = PAGES * sysconf(_SC_PAGESIZE);
	unsigned int nr;

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = variant->vcpus,
				   .road = variant->road);
	self->vm = self->table->vm;
	vm_slot_add(self->vm, SLOT, GPA, size, 0, 0);
	for (nr = 0; nr < PAGES; nr++)
		*(u64 *)vm_host(self->vm, GPA + nr * (size / PAGES)) = nr;
	*vm_guest(self->vm, guest_view) = view_open(self->table, GPA, PAGES);
}

FIXTURE_TEARDOWN(fuzz)
{
	close(self->kmsg);
	table_destroy(self->table);
}

/* The oracle's entries, which are bolted, and nothing else in their slots. */
static unsigned int check(struct vm *vm, struct oracle *oracle)
{
	struct hpte *htab;
	unsigned int wrong, i;
	u64 index;

	vm->order = htab_order(vm);
	oracle_resize(oracle, vm->order);
	htab = htab_read(vm);
	for (index = 0; index < 1ull << (vm->order - 4); index++)
		for (i = 0; i < ARRAY_SIZE(fair_game); i++)
			if (index % HPTES_PER_GROUP == fair_game[i])
				htab[index].v = 0;
	wrong = oracle_settle(oracle, htab, KEEP_ALL);
	free(htab);
	return wrong;
}

/* The VMM's own resizes, at any moment, with any answer. */
static void vmm_resize(struct vm *vm, u64 *random)
{
	struct kvm_ppc_resize_hpt arg = { .shift = some_shift(random) };

	if (guest_random(random) % 4 == 0)
		arg.flags = some_word(random);
	vm_ioctl(vm, guest_random(random) & 1 ? KVM_PPC_RESIZE_HPT_PREPARE :
		 KVM_PPC_RESIZE_HPT_COMMIT, &arg);
}

TEST_F_TIMEOUT(fuzz, hcalls, 600)
{
	static const char * const names[] = {
		"success", "not found", "full", "parameter", "closed", "busy",
		"long busy", "other",
	};
	unsigned int v, a, round, rounds = 5;
	u64 *random = &self->table->random, total[8] = { 0 }, all = 0;
	u64 n = scaled(10000) / rounds / variant->vcpus;
	char text[200] = "";

	for (round = 0; round < rounds; round++) {
		unsigned int i;

		for (v = 0; v < variant->vcpus; v++)
			vcpu_start(&self->vm->vcpu[v], guest_fuzz,
				   guest_random(random) | 1,
				   1ull << 63 | (u64)v << 56 | n);
		for (i = 0; variant->vmm_resizes && i < 20; i++) {
			vmm_resize(self->vm, random);
			pause_us(guest_random(random) % 2000);
		}
		for (v = 0; v < variant->vcpus; v++)
			vcpu_join(&self->vm->vcpu[v]);
		ASSERT_EQ(0, vcpu_call(&self->vm->vcpu[0], guest_check_view,
				       0, 0));
		ASSERT_EQ(0, check(self->vm, self->table->oracle));
		ASSERT_EQ(0, kmsg_complaints(self->kmsg));
	}
	for (a = 0; a < ARRAY_SIZE(names); a++) {
		for (v = 0; v < variant->vcpus; v++)
			total[a] += (*vm_guest(self->vm, answers))[v][a];
		all += total[a];
		sprintf(text + strlen(text), " %s %lu", names[a],
			(long)total[a]);
		/* Every kind of answer, or this was no fuzzing. */
		if (a != BUSY && a != LONG_BUSY)
			EXPECT_LT(0, total[a]);
	}
	counted(all, "hostile-hcalls");
	TH_LOG("answers:%s", text);
}

/*
 * The same page twice, in groups that only an HPT of some size tells apart. By
 * AVPN they belong in one place of a larger HPT: stock KVM has a BUG() there.
 */
TEST_F_TIMEOUT(fuzz, same_page_in_two_groups, 60)
{
	struct vcpu *vcpu = &self->vm->vcpu[0];
	u64 args[9] = { 0 }, group, far;
	struct page page = {
		.vsid = 0x123456,
		.offset = 0x3456000,
		.gpa = GPA,
		.prot = HPTE_R_RW,
		.base_shift = 12,
		.shift = 12,
		.bolted = true,
	};

	group = hash_group(page_hash(&page), false, ORDER);
	for (far = 0x400; far <= 0x1000; far <<= 1) {
		args[0] = H_EXACT;
		args[1] = (group ^ far) * HPTES_PER_GROUP;
		args[2] = page_v(&page);
		args[3] = page_r(&page);
		EXPECT_EQ(H_SUCCESS, vcpu_hcall(vcpu, H_ENTER, args));
	}
	args[0] = H_EXACT;
	args[1] = group * HPTES_PER_GROUP;
	EXPECT_EQ(H_SUCCESS, vcpu_hcall(vcpu, H_ENTER, args));

	/* Nowhere may two meet on the way up, so none is lost on the way down. */
	EXPECT_EQ(0, resize(vcpu, ORDER + 1));
	EXPECT_EQ(0, resize(vcpu, ORDER + 4));
	EXPECT_EQ(0, resize(vcpu, ORDER));
	for (far = 0x400; far <= 0x1000; far <<= 1)
		EXPECT_EQ(H_SUCCESS,
			  vcpu_hcall2(vcpu, H_REMOVE, 0,
				      (group ^ far) * HPTES_PER_GROUP));
	EXPECT_EQ(H_SUCCESS,
		  vcpu_hcall2(vcpu, H_REMOVE, 0, group * HPTES_PER_GROUP));
	EXPECT_EQ(0, check(self->vm, self->table->oracle));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
