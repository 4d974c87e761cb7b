// SPDX-License-Identifier: GPL-2.0
/*
 * The page-size limit on live KVM: every pair of backing and limit either makes
 * a guest that really uses the largest page it was promised, or is refused.
 */
#include <errno.h>
#include <linux/kvm_hv_ext.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "vmm.h"

#define ORDER		20
#define RAM		(64 * MIB)
#define VSID		0x1234ull
#define EA		0x4000000000ull		/* in a segment of its own */
#define ESID_VALID	0x8000000ull

/* The largest page that the VM says a guest may use; 0 if it contradicts itself. */
static unsigned int smmu_max(struct vm *vm)
{
	struct kvm_ppc_smmu_info info;
	unsigned int i, j, max = 0;
	bool over = false;

	if (vm_ioctl(vm, KVM_PPC_GET_SMMU_INFO, &info))
		die("KVM_PPC_GET_SMMU_INFO");
	for (i = 0; i < KVM_PPC_PAGE_SIZES_MAX_SZ; i++) {
		struct kvm_ppc_one_seg_page_size *sps = &info.sps[i];

		if (!sps->page_shift) {
			over = true;
			continue;
		}
		/* No holes, and a segment can hold pages of its base size. */
		if (over || sps->enc[0].page_shift != sps->page_shift)
			return 0;
		for (j = 0; j < KVM_PPC_PAGE_SIZES_MAX_SZ; j++)
			if (sps->enc[j].page_shift > max)
				max = sps->enc[j].page_shift;
		if (sps->page_shift > max)
			max = sps->page_shift;
	}
	return max;
}

/* A page at EA, or rather that part of it which hashes together. */
static struct page page_at(unsigned int base, unsigned int shift, u64 offset,
			   u64 gpa)
{
	return (struct page) {
		.vsid = VSID,
		.offset = offset & -BIT(base),
		.gpa = gpa,
		.prot = HPTE_R_RW,
		.base_shift = base,
		.shift = shift,
	};
}

static u64 first_index(struct vm *vm, const struct page *page)
{
	return hash_group(page_hash(page), false, vm->order) * HPTES_PER_GROUP;
}

static long enter_at(struct vcpu *vcpu, const struct page *page)
{
	u64 regs[9] = { 0, first_index(vcpu->vm, page), page_v(page),
			page_r(page) };

	return vcpu_hcall(vcpu, H_ENTER, regs);
}

static long enter(struct vcpu *vcpu, unsigned int base, unsigned int shift,
		  u64 gpa)
{
	struct page page = page_at(base, shift, 0, gpa);

	return enter_at(vcpu, &page);
}

static void remove_at(struct vcpu *vcpu, const struct page *page)
{
	u64 regs[9] = { H_AVPN, first_index(vcpu->vm, page), page_avpn(page) };

	if (vcpu_hcall(vcpu, H_REMOVE, regs))
		die("the page at offset %#lx would not go",
		    (unsigned long)page->offset);
}

/* The first and last doubleword of the page and one in the middle. */
static u64 guest_use(u64 size, u64 salt)
{
	const u64 at[] = { 0, size / 2, size - 8 };
	unsigned int i;
	u64 val;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		if (!guest_load(EA + at[i], &val))
			return 10 + i;
		if (val != (at[i] ^ salt))
			return 20 + i;
		if (!guest_store(EA + at[i], ~val))
			return 30 + i;
		if (!guest_load(EA + at[i], &val) || val != ~(at[i] ^ salt))
			return 40 + i;
	}
	return 0;
}

/*
 * A page of this size works: what the VMM wrote is read through it, and what is
 * written through it the VMM finds. In a segment of its own size it has one HPTE,
 * otherwise one for each part that is touched.
 */
static u64 use_page(struct vcpu *vcpu, unsigned int base, unsigned int shift)
{
	const u64 size = BIT(shift), salt = 0x5a5a000000000000ull + shift;
	const u64 at[] = { 0, size / 2, size - 8 };
	/* At its own size, and clear of the program's. */
	const u64 gpa = 16 * MIB;
	const u64 slbe = EA | ESID_VALID, slbv = slb_vsid(VSID, base, false);
	const unsigned int parts = base == shift ? 1 : ARRAY_SIZE(at);
	struct page page[ARRAY_SIZE(at)];
	unsigned int i;
	long ret;

	vcpu_set_slb(vcpu, 1, &slbe, &slbv);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		*(u64 *)vm_host(vcpu->vm, gpa + at[i]) = at[i] ^ salt;
	for (i = 0; i < parts; i++) {
		page[i] = page_at(base, shift, at[i], gpa);
		ret = enter_at(vcpu, &page[i]);
		if (ret)
			return ret;
	}
	ret = vcpu_call(vcpu, guest_use, size, salt);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(at); i++)
		if (*(u64 *)vm_host(vcpu->vm, gpa + at[i]) != ~(at[i] ^ salt))
			return 50 + i;
	for (i = 0; i < parts; i++)
		remove_at(vcpu, &page[i]);
	return 0;
}

FIXTURE(matrix)
{
	void *mem;
	unsigned long size;
	unsigned int backing;
};

/*
 * Down: what backs the memory. Across: the limit. In it: the largest page of the
 * guest, or 0 where there is no guest. 16 MiB is the most KVM HV offers.
 */
enum { L12, L16, L21, L24, L30, L34, NR_LIMITS };

FIXTURE_VARIANT(matrix)
{
	unsigned int shift;	/* 0: that of THP */
	unsigned int max[NR_LIMITS];
};

FIXTURE_VARIANT_ADD(matrix, base_4k)
{
	.shift = 12, .max = { 12 },
};

FIXTURE_VARIANT_ADD(matrix, base_64k)
{
	.shift = 16, .max = { 12, 16, 16 },
};

FIXTURE_VARIANT_ADD(matrix, huge_2m)
{
	.shift = 21, .max = { 12, 16, 16 },
};

FIXTURE_VARIANT_ADD(matrix, huge_16m)
{
	.shift = 24, .max = { 12, 16, 16, 24, 24 },
};

FIXTURE_VARIANT_ADD(matrix, huge_1g)
{
	.shift = 30, .max = { 12, 16, 16, 24, 24 },
};

FIXTURE_VARIANT_ADD(matrix, huge_16g)
{
	.shift = 34, .max = { 12, 16, 16, 24, 24, 24 },
};

FIXTURE_VARIANT_ADD(matrix, thp_2m)
{
	.shift = 0, .max = { 12, 16, 16 },
};

FIXTURE_VARIANT_ADD(matrix, thp_16m)
{
	.shift = 0, .max = { 12, 16, 16, 24, 24 },
};

FIXTURE_SETUP(matrix)
{
	const char *why = vmm_lacks_limit();
	unsigned int shift = variant->shift;

	if (why)
		SKIP(return, "%s", why);
	if (!shift) {
		shift = variant->max[L24] ? 24 : 21;
		if (thp_shift() != shift)
			SKIP(return, "no THP of this size on this host");
		self->size = RAM;
		self->mem = memory_map(MEM_THP, RAM, shift);
	} else if (shift <= 16) {
		if (sysconf(_SC_PAGESIZE) != BIT(shift))
			SKIP(return, "another base page size on this host");
		self->size = RAM;
		self->mem = memory_map(MEM_ANON, RAM, shift);
	} else {
		self->size = BIT(shift) > RAM ? BIT(shift) : RAM;
		if (!huge_reserve(shift, self->size))
			SKIP(return, "this host has no %lu MiB pages to spare",
			     BIT(shift) / MIB);
		self->mem = memory_map(MEM_HUGETLB, self->size, shift);
	}
	self->backing = shift;
}

FIXTURE_TEARDOWN(matrix)
{
	if (self->mem)
		memory_unmap(self->mem, self->size);
	if (variant->shift > 16)
		huge_release(variant->shift);
}

static void cell(struct __test_metadata *_metadata,
		 FIXTURE_DATA(matrix) * self, unsigned int limit,
		 unsigned int max)
{
	struct vm *vm;
	struct vcpu *vcpu;

	/* The memslot comes to a guest that has a limit. */
	EXPECT_EQ(max ? 0 : -EINVAL, memory_fits(limit, 0, self->mem, self->size));

	/* The limit comes to a guest that has memory. */
	vm = vm_create(.order = ORDER, .ram = self->size, .memory = self->mem);
	self->mem = NULL;	/* goes with the VM */
	vcpu = &vm->vcpu[0];
	EXPECT_EQ(24, smmu_max(vm));
	ASSERT_EQ(0, vm_set_limit(vm, limit, KVM_PPC_HPT_MAX_PAGE_STRICT));
	if (!max) {
		ASSERT_EQ(-1, ioctl(vcpu->fd, KVM_RUN, 0));
		EXPECT_EQ(EINVAL, errno);
		vm_destroy(vm);
		return;
	}
	EXPECT_EQ(max, smmu_max(vm));
	ASSERT_GUEST_RUNS(vcpu);

	EXPECT_EQ(0, use_page(vcpu, max, max));
	if (max == 24) {
		EXPECT_EQ(0, use_page(vcpu, 16, 24));
		EXPECT_EQ(0, use_page(vcpu, 12, 24));
	}
	/* Beyond the limit, whatever the backing would allow. */
	if (max < 24) {
		EXPECT_EQ(H_PARAMETER, enter(vcpu, 24, 24, 16 * MIB));
		EXPECT_EQ(H_PARAMETER, enter(vcpu, 16, 24, 16 * MIB));
		EXPECT_EQ(H_PARAMETER, enter(vcpu, 12, 24, 16 * MIB));
	}
	if (max < 16) {
		EXPECT_EQ(H_PARAMETER, enter(vcpu, 16, 16, 16 * MIB));
		EXPECT_EQ(H_PARAMETER, enter(vcpu, 12, 16, 16 * MIB));
	}
	EXPECT_GUEST_RUNS(vcpu);
	vm_destroy(vm);
}

TEST_F(matrix, limit_12)
{
	cell(_metadata, self, 12, variant->max[L12]);
}

TEST_F(matrix, limit_16)
{
	cell(_metadata, self, 16, variant->max[L16]);
}

TEST_F(matrix, limit_21)
{
	cell(_metadata, self, 21, variant->max[L21]);
}

TEST_F(matrix, limit_24)
{
	cell(_metadata, self, 24, variant->max[L24]);
}

TEST_F(matrix, limit_30)
{
	cell(_metadata, self, 30, variant->max[L30]);
}

TEST_F(matrix, limit_34)
{
	cell(_metadata, self, 34, variant->max[L34]);
}

/* What the largest pages of this host carry: those of a table's entries are fewer. */
static unsigned int largest_shift(void)
{
	if (!access("/sys/kernel/mm/hugepages/hugepages-16384kB", F_OK) ||
	    !access("/sys/kernel/mm/hugepages/hugepages-1048576kB", F_OK))
		return 24;
	return sysconf(_SC_PAGESIZE) >= 65536 ? 16 : 12;
}

/* Every number there is, and that a refusal leaves all as it was. */
TEST(arguments)
{
	static const u64 nonsense[] = { 0, 1, 11, 64, 255, 1ull << 32,
					1ull << 32 | 16, ~0ull };
	struct kvm_enable_cap ec = {
		.cap = KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT,
		.args = { 16 },
	};
	const char *why = vmm_lacks_limit();
	unsigned int i, host, expected;
	struct vcpu *vcpu;
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);

	vm = vm_create(.order = ORDER);
	host = vm_has_ext(vm, KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT);
	EXPECT_EQ(largest_shift(), host);
	EXPECT_EQ(host, ioctl(vm->kvm, KVM_CHECK_EXTENSION,
			      KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT));

	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		EXPECT_EQ(-EINVAL, vm_set_limit(vm, nonsense[i], 0));
	for (i = 1; i < 64; i++)
		EXPECT_EQ(-EINVAL, vm_set_limit(vm, 16, 1ull << i));
	ec.flags = 1;
	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	EXPECT_EQ(24, smmu_max(vm));

	ASSERT_EQ(0, vm_set_limit(vm, 16, 0));
	EXPECT_EQ(16, smmu_max(vm));
	EXPECT_EQ(-EBUSY, vm_set_limit(vm, 16, KVM_PPC_HPT_MAX_PAGE_STRICT));
	EXPECT_EQ(-EBUSY, vm_set_limit(vm, 17, 0));
	EXPECT_EQ(-EBUSY, vm_set_limit(vm, 24, KVM_PPC_HPT_MAX_PAGE_STRICT));
	EXPECT_EQ(-EINVAL, vm_set_limit(vm, 11, 0));
	EXPECT_EQ(16, smmu_max(vm));
	vm_destroy(vm);

	vm = vm_create(.order = ORDER);
	vcpu = &vm->vcpu[0];
	EXPECT_GUEST_RUNS(vcpu);
	EXPECT_EQ(-EBUSY, vm_set_limit(vm, 16, 0));
	EXPECT_EQ(24, smmu_max(vm));
	vm_destroy(vm);

	for (i = 12; i < 64; i++) {
		vm = vm_create(.order = ORDER);
		expected = i < 16 ? 12 : i < 24 ? 16 : 24;
		EXPECT_EQ(0, vm_set_limit(vm, i, 0));
		EXPECT_EQ(expected, smmu_max(vm));
		vm_destroy(vm);
	}
}

/* What is in force can be set at any time: QEMU does at each reset and loadvm. */
TEST(set_again)
{
	const char *why = vmm_lacks_limit();
	struct vcpu *vcpu;
	unsigned int strict, i;
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	for (strict = 0; strict < 2; strict++) {
		vm = vm_create(.order = ORDER);
		vcpu = &vm->vcpu[0];
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(0, vm_set_limit(vm, 12, strict));
			EXPECT_EQ(-EBUSY, vm_set_limit(vm, 13, strict));
			EXPECT_EQ(-EBUSY, vm_set_limit(vm, 12, !strict));
			EXPECT_EQ(-EINVAL, vm_set_limit(vm, 12, 2));
			EXPECT_GUEST_RUNS(vcpu);
			EXPECT_EQ(12, smmu_max(vm));
			/* As a reset does. */
			EXPECT_EQ(0, vm_alloc_htab(vm, ORDER));
		}
		vm_destroy(vm);
	}
}

#define DEVICE_BASE	BIT(45)

static int add_slot(struct vm *vm, unsigned int slot, unsigned long gpa,
		    void *mem, unsigned long size, u32 flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (unsigned long)mem,
	};

	return vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/*
 * RAM that is plugged in while all writes are logged (a migration, or a VMM that
 * wants to know the dirty rate) logs from its creation, as a frame buffer does. It
 * is RAM all the same.
 */
TEST(logged_from_the_beginning)
{
	void *mem = memory_map(MEM_ANON, RAM, 0);
	const char *why = vmm_lacks_limit();
	struct vm vm;

	if (why)
		SKIP(return, "%s", why);
	vm_bare(&vm, 24);
	EXPECT_EQ(-EINVAL, add_slot(&vm, 1, GIB, mem, RAM, 0));
	EXPECT_EQ(-EINVAL, add_slot(&vm, 1, GIB, mem, RAM,
				    KVM_MEM_LOG_DIRTY_PAGES));
	/* Less than a page of the limit's size is no exception. */
	EXPECT_EQ(-EINVAL, add_slot(&vm, 1, GIB, mem, MIB, 0));
	EXPECT_EQ(-EINVAL, add_slot(&vm, 1, DEVICE_BASE - MIB, mem, MIB, 0));
	/* As far as there may be memory. */
	EXPECT_EQ(-EINVAL, add_slot(&vm, 1, DEVICE_BASE - RAM, mem, RAM, 0));
	EXPECT_EQ(-EINVAL, add_slot(&vm, 1, DEVICE_BASE - RAM / 2, mem, RAM,
				    KVM_MEM_LOG_DIRTY_PAGES));
	close(vm.fd);
	close(vm.kvm);
	memory_unmap(mem, RAM);
}

/* What a device shows has any backing, any size, and logs or not. */
TEST(devices)
{
	void *mem = memory_map(MEM_ANON, RAM, 0);
	unsigned long page = sysconf(_SC_PAGESIZE);
	const char *why = vmm_lacks_limit();
	struct vm vm;

	if (why)
		SKIP(return, "%s", why);
	vm_bare(&vm, 34);
	EXPECT_EQ(0, add_slot(&vm, 1, DEVICE_BASE, mem, RAM, 0));
	EXPECT_EQ(0, add_slot(&vm, 2, DEVICE_BASE + GIB, mem, RAM,
			      KVM_MEM_LOG_DIRTY_PAGES));
	EXPECT_EQ(0, add_slot(&vm, 3, DEVICE_BASE + RAM + page, mem + page, page, 0));
	/* Moved to where memory is, and back. */
	EXPECT_EQ(-EINVAL, add_slot(&vm, 3, GIB, mem + page, page, 0));
	EXPECT_EQ(0, add_slot(&vm, 3, DEVICE_BASE + 2 * GIB, mem + page, page, 0));
	/* The frame buffer's log is turned off and on. */
	EXPECT_EQ(0, add_slot(&vm, 2, DEVICE_BASE + GIB, mem, RAM, 0));
	EXPECT_EQ(0, add_slot(&vm, 2, DEVICE_BASE + GIB, mem, RAM,
			      KVM_MEM_LOG_DIRTY_PAGES));
	EXPECT_EQ(-EINVAL, add_slot(&vm, 2, GIB, mem, RAM,
				    KVM_MEM_LOG_DIRTY_PAGES));
	close(vm.fd);
	close(vm.kvm);
	memory_unmap(mem, RAM);
}

#define BASE_FILE	"/sys/module/kvm_hv_ext/parameters/hpt_device_base"

static int set_base(const char *text)
{
	FILE *f = fopen(BASE_FILE, "w");
	int ret;

	if (!f)
		die("%s: %s", BASE_FILE, strerror(errno));
	fputs(text, f);
	ret = fflush(f) ? -errno : 0;
	fclose(f);
	return ret;
}

/* Where devices begin is the administrator's to say, for VMs that come after. */
TEST(device_base)
{
	static const char *const nonsense[] = {
		"0", "-1", "1", "0x1000", "0xfff000", "x", "18446744073709551616",
		"18446744073709551615",
	};
	void *mem = memory_map(MEM_ANON, RAM, 0);
	const char *why = vmm_lacks_limit();
	struct vm before, after;
	unsigned int i;

	if (why)
		SKIP(return, "%s", why);
	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		EXPECT_NE(0, set_base(nonsense[i]));
	vm_bare(&before, 24);
	ASSERT_EQ(0, set_base("0x10000000000"));
	vm_bare(&after, 24);
	ASSERT_EQ(0, set_base("0x200000000000"));
	EXPECT_EQ(-EINVAL, add_slot(&before, 1, BIT(40), mem, RAM, 0));
	EXPECT_EQ(0, add_slot(&after, 1, BIT(40), mem, RAM, 0));
	EXPECT_EQ(-EINVAL, add_slot(&after, 2, BIT(40) - RAM, mem, RAM, 0));
	close(before.fd);
	close(before.kvm);
	close(after.fd);
	close(after.kvm);
	memory_unmap(mem, RAM);
}

/* A radix guest does not care, and nor does one without a limit. */
TEST(radix_guest)
{
	const char *why = vmm_lacks_limit();
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	vm = vm_create(.order = ORDER);
	if (!vm_has_ext(vm, KVM_CAP_PPC_MMU_RADIX)) {
		vm_destroy(vm);
		SKIP(return, "no radix guests on this host");
	}
	vm_destroy(vm);

	vm = vm_create(.radix = true);
	ASSERT_EQ(0, vm_set_limit(vm, 34, KVM_PPC_HPT_MAX_PAGE_STRICT));
	vm_slot_add(vm, 1, GIB, MIB, 0, 0);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vm_slot_add(vm, 2, 2 * GIB, MIB, 0, 0);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);

	/* But when it becomes an HPT guest, it has to keep the promise. */
	ASSERT_EQ(0, vm_alloc_htab(vm, ORDER));
	ASSERT_EQ(-1, ioctl(vm->vcpu[0].fd, KVM_RUN, 0));
	EXPECT_EQ(EINVAL, errno);
	vm_destroy(vm);
}

/*
 * A large page that goes to pieces later is no reason to stop the guest, least of all
 * when the VMM opens the HTAB descriptor to take it elsewhere.
 */
TEST(htab_fd_after_split)
{
	unsigned int limit = thp_limit();
	const char *why = vmm_lacks_limit();
	const unsigned long size = 4 * GUEST_RAM;
	struct vm *vm;
	void *mem;

	if (why)
		SKIP(return, "%s", why);
	if (!limit)
		SKIP(return, "no THP that makes a difference on this host");
	mem = memory_map(MEM_THP, size, 0);
	memset(mem, 1, size);
	vm = vm_create(.order = ORDER, .memory = mem, .ram = size);
	ASSERT_EQ(0, vm_set_limit(vm, limit, 0));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);

	ASSERT_EQ(0, madvise(mem + size - sysconf(_SC_PAGESIZE),
			     sysconf(_SC_PAGESIZE), MADV_DONTNEED));
	close(htab_fd(vm, 0));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vm_destroy(vm);
}

#define ENTERS	2000ul

static u64 guest_enter_remove(u64 v, u64 r)
{
	u64 begin = guest_timebase();
	unsigned int i;

	for (i = 0; i < ENTERS; i++) {
		u64 regs[9] = { 0, 0, v, r };

		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_ENTER, regs));
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_REMOVE, 0, regs[0], 0, 0));
	}
	return guest_timebase() - begin;
}

/* What strict mode costs an H_ENTER, for the documentation: no verdict. */
TEST(cost_of_strict)
{
	struct page page = {
		.vsid = VSID, .gpa = 16 * MIB, .prot = HPTE_R_RW,
		.base_shift = 12, .shift = 12,
	};
	const char *why = vmm_lacks_limit();
	u64 ticks[2];
	unsigned int strict;

	if (why)
		SKIP(return, "%s", why);
	for (strict = 0; strict < 2; strict++) {
		struct vm *vm = vm_create(.order = ORDER, .ram = RAM);
		struct vcpu *vcpu = &vm->vcpu[0];

		ASSERT_EQ(0, vm_set_limit(vm, 12, strict));
		/* Once to warm up. */
		vcpu_call(vcpu, guest_enter_remove, page_v(&page), page_r(&page));
		ticks[strict] = vcpu_call(vcpu, guest_enter_remove,
					  page_v(&page), page_r(&page));
		vm_destroy(vm);
	}
	TH_LOG("H_ENTER and H_REMOVE: %llu timebase ticks, strict %llu",
	       (unsigned long long)ticks[0] / ENTERS,
	       (unsigned long long)ticks[1] / ENTERS);
	EXPECT_LT(0, ticks[0]);
}

TEST_HARNESS_MAIN
