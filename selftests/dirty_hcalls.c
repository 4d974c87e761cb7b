// SPDX-License-Identifier: GPL-2.0
/*
 * The guest removes entries, clears change bits and has pages initialised while their
 * memslot logs: what it has written is in the log, whether the entry is still there when
 * the log is read or not. Before POWER9 stock KVM serves these in real mode, and the
 * host stops.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define ORDER		20
#define GPA		(256 * MIB)
#define EA		0x30000000ul
#define VSID		0x5a5a5
#define PAGES		64		/* a word of the log */
#define FRAME		4096ul
#define SLOT		1
#define HPT_SLOT	3

/* Of the guest. */
static u64 page_shift;

static struct page page_of(unsigned int nr)
{
	return (struct page){
		.vsid = VSID,
		.offset = (u64)nr << page_shift,
		.gpa = GPA + ((u64)nr << page_shift),
		.prot = HPTE_R_RW,
		.base_shift = page_shift,
		.shift = page_shift,
	};
}

static u64 index_of(const struct page *page)
{
	return hash_group(page_hash(page), false, ORDER) * HPTES_PER_GROUP +
	       HPT_SLOT;
}

static void guest_enter(unsigned int nr)
{
	struct page page = page_of(nr);

	GUEST_ASSERT_EQ(H_SUCCESS,
			guest_hcall4(H_ENTER, H_EXACT, index_of(&page),
				     page_v(&page), page_r(&page)));
}

static void guest_enter_all(void)
{
	unsigned int nr;

	for (nr = 0; nr < PAGES; nr++)
		guest_enter(nr);
}

/* Those of the mask are written, and the entries of all go. */
static void guest_remove(u64 mask, u64 bulk)
{
	unsigned int nr, i, step = bulk ? 4 : 1;

	for (nr = 0; nr < PAGES; nr++)
		if (mask & BIT_ULL(nr) && !guest_store(EA + (nr << page_shift), nr))
			guest_fail(__LINE__, nr, 0);
	for (nr = 0; nr < PAGES; nr += step) {
		u64 regs[9] = { HBR_END, 0, HBR_END, 0, HBR_END, 0, HBR_END };
		struct page page = page_of(nr);

		if (!bulk) {
			GUEST_ASSERT_EQ(H_SUCCESS,
					guest_hcall4(H_REMOVE, H_AVPN,
						     index_of(&page),
						     page_avpn(&page), 0));
			continue;
		}
		for (i = 0; i < step; i++) {
			page = page_of(nr + i);
			regs[2 * i] = HBR_REQUEST | HBR_AVPN | index_of(&page);
			regs[2 * i + 1] = page_avpn(&page);
		}
		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_BULK_REMOVE, regs));
		for (i = 0; i < step; i++)
			GUEST_ASSERT_EQ(0, regs[2 * i] & HBR_CODE);
	}
}

/* Written, and the change bits cleared; the entries stay. */
static void guest_clear_mod(u64 mask)
{
	unsigned int nr;

	for (nr = 0; nr < PAGES; nr++) {
		struct page page = page_of(nr);

		if (mask & BIT_ULL(nr) && !guest_store(EA + (nr << page_shift), nr))
			guest_fail(__LINE__, nr, 0);
		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_CLEAR_MOD, 0,
							index_of(&page), 0, 0));
	}
}

/* Ends with all entries there, as it begins. */
static void guest_churn(u64 rounds)
{
	while (rounds--) {
		guest_remove(~0ull, rounds & 1);
		guest_enter_all();
	}
}

FIXTURE(hcalls)
{
	struct vm *vm;
	struct vcpu *vcpu;
	int kmsg;
};

FIXTURE_SETUP(hcalls)
{
	const u64 slbe = EA | SLBE_V;
	unsigned long page = sysconf(_SC_PAGESIZE);
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_ENABLE_HCALL,
		.args = { H_PAGE_INIT, 1 },
	};
	const char *why = vmm_lacks(ROAD_IOCTL);
	u64 slbv;

	if (why)
		SKIP(return, "%s", why);
	self->vm = vm_create(.order = ORDER);
	if (!vm_has_ext(self->vm, KVM_CAP_PPC_MMU_HASH_V3) &&
	    !vm_has_ext(self->vm, KVM_CAP_PPC_HV_EXT)) {
		vm_destroy(self->vm);
		SKIP(return, "without kvm-hv-ext a POWER8 host stops");
	}
	self->kmsg = kmsg_open();
	self->vcpu = &self->vm->vcpu[0];
	ASSERT_EQ(0, vm_ioctl(self->vm, KVM_ENABLE_CAP, &cap));
	vm_slot_add(self->vm, SLOT, GPA, PAGES * page, 0, 0);
	memset(vm_host(self->vm, GPA), 0, PAGES * page);
	*vm_guest(self->vm, page_shift) = page_shift = __builtin_ctzl(page);
	slbv = slb_vsid(VSID, page_shift, false);
	vcpu_set_slb(self->vcpu, 1, &slbe, &slbv);
	vcpu_call(self->vcpu, guest_enter_all, 0, 0);
}

FIXTURE_TEARDOWN(hcalls)
{
	close(self->kmsg);
	vm_destroy(self->vm);
}

static int log_set(struct vm *vm, bool on)
{
	return vm_slot_set(vm, SLOT, GPA, on ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

static u64 log_read(struct vm *vm)
{
	u64 log = 0;

	vm_dirty_log(vm, SLOT, &log);
	return log;
}

TEST_F(hcalls, remove)
{
	unsigned int i;
	u64 mask;

	ASSERT_EQ(0, log_set(self->vm, true));
	for (i = 0; i < 4; i++) {
		mask = 0x8421c3a5f00f7e81ull << i;
		log_read(self->vm);
		vcpu_call(self->vcpu, guest_remove, mask, i & 1);
		EXPECT_EQ(mask, log_read(self->vm));
		EXPECT_EQ(0, log_read(self->vm));
		vcpu_call(self->vcpu, guest_enter_all, 0, 0);
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_F(hcalls, clear_mod)
{
	const u64 mask = 0x123456789abcdef0ull;

	ASSERT_EQ(0, log_set(self->vm, true));
	log_read(self->vm);
	vcpu_call(self->vcpu, guest_clear_mod, mask, 0);
	EXPECT_EQ(mask, log_read(self->vm));
	EXPECT_EQ(0, log_read(self->vm));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

static bool holds(const void *frame, u8 byte)
{
	const u8 *at = frame;

	return at[0] == byte && !memcmp(at, at + 1, FRAME - 1);
}

TEST_F(hcalls, page_init)
{
	u8 *mem = vm_host(self->vm, GPA);
	unsigned long size = PAGES * sysconf(_SC_PAGESIZE);
	const u64 to = GPA + 3 * FRAME, from = GPA + 7 * FRAME, end = GPA + size;
	/* With the log off, on POWER8, it is real mode's again. */
	unsigned int log;

	for (log = 0; log < 2; log++) {
		ASSERT_EQ(0, log_set(self->vm, log));
		memset(mem, 0xaa, size);
		memset(mem + 7 * FRAME, 0x55, FRAME);
		if (log)
			log_read(self->vm);
		EXPECT_EQ(H_SUCCESS, vcpu_hcall2(self->vcpu, H_PAGE_INIT,
						 H_ICACHE_SYNCHRONIZE, to));
		EXPECT_TRUE(holds(mem + 3 * FRAME, 0xaa));
		EXPECT_EQ(H_SUCCESS, vcpu_hcall2(self->vcpu, H_PAGE_INIT,
						 H_ZERO_PAGE, to));
		EXPECT_TRUE(holds(mem + 2 * FRAME, 0xaa));
		EXPECT_TRUE(holds(mem + 3 * FRAME, 0));
		EXPECT_TRUE(holds(mem + 4 * FRAME, 0xaa));
		if (log)
			EXPECT_EQ(BIT_ULL(3 * FRAME >> page_shift),
				  log_read(self->vm));
		{
			u64 regs[9] = { H_COPY_PAGE, to, from };

			EXPECT_EQ(H_SUCCESS, vcpu_hcall(self->vcpu, H_PAGE_INIT,
							regs));
		}
		EXPECT_TRUE(holds(mem + 3 * FRAME, 0x55));
		EXPECT_TRUE(holds(mem + 4 * FRAME, 0xaa));
		if (log)
			EXPECT_EQ(BIT_ULL(3 * FRAME >> page_shift),
				  log_read(self->vm));
		/* Nonsense. */
		EXPECT_EQ(H_PARAMETER, vcpu_hcall2(self->vcpu, H_PAGE_INIT,
						   H_ZERO_PAGE | 1, to));
		EXPECT_EQ(H_PARAMETER, vcpu_hcall2(self->vcpu, H_PAGE_INIT,
						   H_ZERO_PAGE, to + 8));
		EXPECT_EQ(H_PARAMETER, vcpu_hcall2(self->vcpu, H_PAGE_INIT,
						   H_ZERO_PAGE, end));
		EXPECT_EQ(H_PARAMETER, vcpu_hcall2(self->vcpu, H_PAGE_INIT,
						   H_ZERO_PAGE, 0 - FRAME));
		{
			u64 regs[9] = { H_COPY_PAGE, to, from + 8 };

			EXPECT_EQ(H_PARAMETER, vcpu_hcall(self->vcpu, H_PAGE_INIT,
							  regs));
			regs[0] = H_COPY_PAGE;
			regs[1] = to;
			regs[2] = end;
			EXPECT_EQ(H_PARAMETER, vcpu_hcall(self->vcpu, H_PAGE_INIT,
							  regs));
		}
		EXPECT_TRUE(holds(mem + 3 * FRAME, 0x55));
		if (log)
			EXPECT_EQ(0, log_read(self->vm));
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* Who has begun one of these hcalls is not met by a log that begins. */
TEST_F_TIMEOUT(hcalls, log_on_and_off, 120)
{
	unsigned int i, n = scaled(200);

	vcpu_start(self->vcpu, guest_churn, n, 0);
	for (i = 0; i < n; i++) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_PPC_ENABLE_HCALL,
			.args = { i & 2 ? H_CLEAR_MOD : H_REMOVE, 1 },
		};

		ASSERT_EQ(0, log_set(self->vm, true));
		/* It is on already. */
		ASSERT_EQ(0, vm_ioctl(self->vm, KVM_ENABLE_CAP, &cap));
		pause_us(i * 97 % 1000);
		ASSERT_EQ(0, log_set(self->vm, false));
		pause_us(i * 61 % 500);
	}
	vcpu_join(self->vcpu);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
