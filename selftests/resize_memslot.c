// SPDX-License-Identifier: GPL-2.0
/*
 * Memslots come, move and go, and the host takes pages from under them, at
 * random moments of a resize and after it: the guest never reaches memory that
 * is no longer its own, and always what is.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "view.h"
#include "vmm.h"
#include "work.h"

#define ORDER		20
#define GPA		(256 * MIB)
#define ELSEWHERE	(512 * MIB)
#define PAGES		128
#define SLOT		1
#define LATEST_US	15000

FIXTURE(memslot)
{
	struct table *table;
	struct vm *vm;
	struct vcpu *vcpu;
	struct view view;
	unsigned long size;
	u64 age;
	int kmsg;
};

FIXTURE_ROADS(memslot);

static struct view guest_view;

/* Each page begins with its number and age: the guest must see the latest. */
static u64 guest_check(u64 age, u64 write)
{
	unsigned int nr, wrong = 0;

	for (nr = 0; nr < guest_view.pages; nr++) {
		u64 ea = view_ea(&guest_view, nr), val = 0;

		if (!guest_load(ea, &val))
			guest_fail(__LINE__, ea, age);
		wrong += val != (age << 32 | nr);
		if (write && !guest_store(ea + 8, age))
			guest_fail(__LINE__, ea, age);
	}
	return wrong;
}

static void stamp(struct vm *vm, u64 gpa, unsigned long page, u64 age)
{
	u64 nr;

	for (nr = 0; nr < PAGES; nr++)
		*(u64 *)vm_host(vm, gpa + nr * page) = age << 32 | nr;
}

FIXTURE_SETUP(memslot)
{
	const char *why = vmm_lacks(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .road = variant->road);
	self->vm = self->table->vm;
	self->vcpu = self->table->vcpu;
	self->size = PAGES * sysconf(_SC_PAGESIZE);
	vm_slot_add(self->vm, SLOT, GPA, self->size, 0, 0);
	stamp(self->vm, GPA, self->size / PAGES, self->age);
	self->view = view_open(self->table, GPA, PAGES);
	*vm_guest(self->vm, guest_view) = self->view;
	ASSERT_EQ(0, vcpu_call(self->vcpu, guest_check, 0, 1));
}

FIXTURE_TEARDOWN(memslot)
{
	close(self->kmsg);
	table_destroy(self->table);
}

/* What may be done to a slot under a resize. */
enum deed {
	REPLACE, MOVE, ADD_OTHER, LOG, DISCARD, PROTECT, CUT, REMOVE, NR_DEEDS
};

static void do_it(struct vm *vm, enum deed deed, unsigned long size)
{
	void *mem = vm->slot[SLOT].host;
	int ret = 0;

	switch (deed) {
	case REPLACE:
		vm_slot_del(vm, SLOT);
		vm_slot_add(vm, SLOT, GPA, size, 0, 0);
		break;
	case MOVE:
		ret = vm_slot_set(vm, SLOT, ELSEWHERE, 0) ?:
		      vm_slot_set(vm, SLOT, GPA, 0);
		break;
	case ADD_OTHER:
		vm_slot_add(vm, SLOT + 1, ELSEWHERE, size, 0, 0);
		vm_slot_del(vm, SLOT + 1);
		break;
	case LOG:
		ret = vm_slot_set(vm, SLOT, GPA, KVM_MEM_LOG_DIRTY_PAGES) ?:
		      vm_slot_set(vm, SLOT, GPA, 0);
		break;
	case DISCARD:
		ret = madvise(mem, size, MADV_DONTNEED);
		break;
	case PROTECT:
		ret = mprotect(mem, size, PROT_READ) ?:
		      mprotect(mem, size, PROT_READ | PROT_WRITE);
		break;
	case CUT:
		vm_slot_del(vm, SLOT);
		vm_slot_add(vm, SLOT, GPA, size / 2, 0, 0);
		break;
	case REMOVE:
		vm_slot_del(vm, SLOT);
		break;
	default:
		break;
	}
	if (ret)
		die("deed %u: %s", deed, strerror(ret < -1 ? -ret : errno));
}

/* Make up for it. The memory has @age then, and the guest must see that. */
static void make_up(struct vm *vm, enum deed deed, u64 age, unsigned long size)
{
	if (deed == CUT)
		vm_slot_del(vm, SLOT);
	if (deed == CUT || deed == REMOVE)
		vm_slot_add(vm, SLOT, GPA, size, 0, 0);
	stamp(vm, GPA, size / PAGES, age);
}

/* Between PREPARE and COMMIT; that may end the resize, and nothing else. */
TEST_F_TIMEOUT(memslot, during, 300)
{
	unsigned int i, ended = 0, n = scaled(16);
	u64 *random = &self->table->random;

	for (i = 0; i < n; i++) {
		unsigned int to = vm_least_order() + guest_random(random) % 5;
		enum deed deed = i / 2 % NR_DEEDS;
		int ret;

		ASSERT_LE(0, resize_prepare_once(self->vcpu, 0, to));
		pause_us(guest_random(random) % LATEST_US);
		if (i % 2)
			ASSERT_EQ(0, resize_prepare(self->vcpu, to));
		do_it(self->vm, deed, self->size);
		ret = resize_commit(self->vcpu, to);
		make_up(self->vm, deed, ++self->age, self->size);
		if (!ret)
			ASSERT_EQ(0, table_committed(self->table, to));
		if (ret && (ret != -EBUSY || i % 2))
			ASSERT_EQ(-ENXIO, ret);
		ended += ret == -ENXIO;
		ASSERT_EQ(0, vcpu_call(self->vcpu, guest_check, self->age,
				       guest_random(random) & 1));
		ASSERT_EQ(0, table_check(self->table));
	}
	TH_LOG("%u of %u resizes were ended so", ended, n);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* After COMMIT, before and after the guest has faulted its pages in again. */
TEST_F_TIMEOUT(memslot, after, 300)
{
	unsigned int i, n = scaled(16);
	u64 *random = &self->table->random;

	for (i = 0; i < n; i++) {
		unsigned int to = vm_least_order() + guest_random(random) % 5;
		enum deed deed = i / 2 % NR_DEEDS;

		ASSERT_EQ(0, vcpu_call(self->vcpu, guest_check, self->age, 1));
		ASSERT_EQ(0, table_resize(self->table, to));
		if (i % 2)
			ASSERT_EQ(0, vcpu_call(self->vcpu, guest_check,
					       self->age,
					       guest_random(random) & 1));
		do_it(self->vm, deed, self->size);
		make_up(self->vm, deed, ++self->age, self->size);
		ASSERT_EQ(0, vcpu_call(self->vcpu, guest_check, self->age, 1));
	}
	EXPECT_EQ(0, table_check(self->table));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* What is prepared ends with it: the guest is not told that it is ready any more. */
TEST_F(memslot, cancelled_at_once)
{
	if (vmm_lacks_ext(variant->road))
		SKIP(return, "stock KVM keeps it");
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	vm_slot_add(self->vm, SLOT + 1, ELSEWHERE, self->size, 0, 0);
	EXPECT_LT(0, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, table_committed(self->table, ORDER + 1));
	vm_slot_del(self->vm, SLOT + 1);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* A slot made while a resize was prepared can be mapped once it is done. */
TEST_F_TIMEOUT(memslot, new_slot_is_usable, 120)
{
	struct page page = {
		.vsid = 0x3131,
		.gpa = ELSEWHERE,
		.prot = HPTE_R_RW,
		.base_shift = 12,
		.shift = 12,
		.bolted = true,
	};
	u64 index;
	int ret;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	vm_slot_add(self->vm, SLOT + 1, ELSEWHERE, self->size, 0, 0);
	memset(vm_host(self->vm, ELSEWHERE), 0, self->size);
	ret = resize_commit(self->vcpu, ORDER + 1);
	if (ret) {
		ASSERT_EQ(-ENXIO, ret);
		ASSERT_EQ(0, resize(self->vcpu, ORDER + 1));
	}
	ASSERT_EQ(0, table_committed(self->table, ORDER + 1));
	ASSERT_EQ(0, table_enter(self->table, &page, 0, &index));
	EXPECT_EQ(0, table_check(self->table));
	EXPECT_EQ(0, table_resize(self->table, ORDER));
	table_remove(self->table, index & ((1ull << (ORDER - 4)) - 1));
	vm_slot_del(self->vm, SLOT + 1);
	EXPECT_EQ(0, table_resize(self->table, ORDER + 1));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/*
 * Entries that were made for emulated MMIO, as there was no memory yet, and that the
 * guest touches while they are being mirrored: they are memory afterwards.
 */
TEST_F_TIMEOUT(memslot, mmio_becomes_memory, 60)
{
	unsigned int nr;

	vm_slot_del(self->vm, SLOT);
	for (nr = 0; nr < PAGES; nr++)
		table_remove(self->table, view_index(&self->view, nr, ORDER));
	self->view = view_open(self->table, GPA, PAGES);
	vm_slot_add(self->vm, SLOT, GPA, self->size, 0, 0);
	stamp(self->vm, GPA, self->size / PAGES, 7);

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, vcpu_call(self->vcpu, guest_check, 7, 1));
	EXPECT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, table_committed(self->table, ORDER + 1));
	EXPECT_EQ(0, vcpu_call(self->vcpu, guest_check, 7, 1));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

static unsigned int prepared;

static void commit(void *arg)
{
	struct vm *vm = arg;

	if (resize_commit(&vm->vcpu[0], prepared))
		die("no COMMIT");
}

/* What a COMMIT costs among so many memslots more: of some, the one that nothing disturbs. */
static u64 work_among(struct __test_metadata *_metadata, unsigned int slots)
{
	struct vm *vm = vm_create(.order = HPT_MIN_ORDER, .strategy = KVM_PPC_HPT_RESIZE_COPY);
	void *mem = vm_slots_apart(vm, VM_MAX_SLOTS, slots, GPA);
	u64 work, least = ~0ull;
	unsigned int i;

	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	for (i = 0; i < 8; i++) {
		prepared = HPT_MIN_ORDER + 1 + i % 2;
		ASSERT_EQ(0, resize_prepare(&vm->vcpu[0], prepared));
		work = work_of(commit, vm, 1);
		least = work < least ? work : least;
	}
	vm_destroy(vm);
	memory_unmap(mem, 2 * slots * sysconf(_SC_PAGESIZE));
	return least;
}

/*
 * A VMM may have 32,000 memslots. While the switch goes through them nobody else may have
 * the VM's pages: it is to take eleven instructions for each. To look one up in a chain of
 * 32 took ten times that.
 */
#define MOST_EACH	(40 * host_slower())

TEST_F_TIMEOUT(memslot, commit_among_many, 300)
{
	const unsigned int slots = 2000;
	u64 some, many;

	if (variant->road != ROAD_IOCTL)
		SKIP(return, "the same by ioctl");
	if (!work_counted())
		SKIP(return, "this host does not count instructions");
	some = work_among(_metadata, slots);
	many = work_among(_metadata, 2 * slots);
	TH_LOG("a COMMIT: with %u memslots %llu instructions, with %u %llu", slots,
	       (unsigned long long)some, 2 * slots, (unsigned long long)many);
	EXPECT_LT(many, some + slots * MOST_EACH);
}

TEST_HARNESS_MAIN
