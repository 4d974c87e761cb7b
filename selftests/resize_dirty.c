// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log is on while the HPT is resized: pages that the guest wrote just
 * before, during and just after COMMIT are all reported.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "view.h"
#include "vmm.h"

#define ORDER		20
#define GPA		(256 * MIB)
#define PAGES		512
#define SLOT		1
#define GUEST_YIELD	0xf0e0	/* an hcall that only leaves the guest */

FIXTURE(dirty)
{
	struct table *table;
	struct vm *vm;
	struct view view;
	unsigned long bitmap[PAGES / 64];
	int kmsg;
};

FIXTURE_VARIANT(dirty)
{
	enum vm_road road;
	bool grow;
};

FIXTURE_VARIANT_ADD(dirty, grow)
{
	.road = ROAD_IOCTL,
	.grow = true,
};

FIXTURE_VARIANT_ADD(dirty, shrink)
{
	.road = ROAD_IOCTL,
};

FIXTURE_VARIANT_ADD(dirty, grow_by_hcall)
{
	.road = ROAD_HCALL,
	.grow = true,
};

/* What the guest wrote, and how far it is. */
static struct view guest_view;
static volatile u64 written[PAGES];
static volatile u64 progress;

FIXTURE_SETUP(dirty)
{
	const char *why = vmm_lacks(variant->road);
	unsigned long size;

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = 2,
				   .road = variant->road);
	self->vm = self->table->vm;
	size = PAGES * sysconf(_SC_PAGESIZE);
	/* A memslot of many hundred pages, aligned for the log's longs. */
	vm_slot_add(self->vm, SLOT, GPA, size, 0, KVM_MEM_LOG_DIRTY_PAGES);
	memset(vm_host(self->vm, GPA), 0, size);
	self->view = view_open(self->table, GPA, PAGES);
	*vm_guest(self->vm, guest_view) = self->view;
}

FIXTURE_TEARDOWN(dirty)
{
	close(self->kmsg);
	table_destroy(self->table);
}

/*
 * Write every other page or so, once each, in an order that the seed gives. A
 * page is written once only, so that a later write does not hide a lost one.
 */
static void guest_write(u64 seed, u64 value)
{
	u64 start = guest_random(&seed), step = guest_random(&seed) | 1;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		unsigned int nr = (start + i * step) % PAGES;

		progress = i;
		if (guest_random(&seed) & 1)
			continue;
		if (!guest_store(view_ea(&guest_view, nr), value))
			guest_fail(__LINE__, nr, 0);
		written[nr] = value;
		/* No page is missed, so the guest would be done at once. */
		guest_hcall4(GUEST_YIELD, 0, 0, 0, 0);
	}
	progress = PAGES;
}

static bool logged(const unsigned long *bitmap, unsigned int nr)
{
	return bitmap[nr / 64] & 1ul << nr % 64;
}

/* Whether a write is missing; what is reported once more than need be does no harm. */
static unsigned int check_log(struct vm *vm, const unsigned long *bitmap,
			      u64 value)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	volatile u64 *saw = *vm_guest(vm, written);
	unsigned int nr, lost = 0;

	for (nr = 0; nr < PAGES; nr++) {
		u64 *mem = vm_host(vm, GPA + nr * page);

		if (saw[nr] == value && !logged(bitmap, nr))
			lost++;
		if (*mem != saw[nr])
			die("page %u holds %#lx, the guest wrote %#lx", nr,
			    (long)*mem, (long)saw[nr]);
	}
	return lost;
}

TEST_F_TIMEOUT(dirty, commit, 300)
{
	volatile u64 *done = vm_guest(self->vm, progress);
	u64 *random = &self->table->random;
	struct vcpu *asks = &self->vm->vcpu[0];
	struct vcpu *writes = &self->vm->vcpu[1];
	unsigned int i, during = 0, n = scaled(8);

	/* One at least is to come while the guest writes. */
	for (i = 0; i < n || (!during && i < 64); i++) {
		unsigned int back = self->vm->order;
		unsigned int order = variant->grow ? back + 1 : back - 1;
		u64 when = guest_random(random) % PAGES, value = i + 1;

		vm_dirty_log(self->vm, SLOT, self->bitmap);
		ASSERT_EQ(0, resize_prepare(asks, order));
		*done = 0;
		vcpu_start(writes, guest_write, guest_random(random) | 1, value);
		while (*done < when)
			sched_yield();
		ASSERT_EQ(0, resize_commit_running(asks, order));
		during += *done < PAGES;
		/* Either read at once, or when all is written. */
		if (i & 1) {
			unsigned long early[PAGES / 64];
			unsigned int w;

			vm_dirty_log(self->vm, SLOT, early);
			vcpu_join(writes);
			vm_dirty_log(self->vm, SLOT, self->bitmap);
			for (w = 0; w < ARRAY_SIZE(early); w++)
				self->bitmap[w] |= early[w];
		} else {
			vcpu_join(writes);
			vm_dirty_log(self->vm, SLOT, self->bitmap);
		}
		ASSERT_EQ(0, check_log(self->vm, self->bitmap, value));
		ASSERT_EQ(0, table_committed(self->table, order));

		/* And back, with nothing written: nothing may be lost there. */
		ASSERT_EQ(0, table_resize(self->table, back));
	}
	TH_LOG("%u of %u commits before the guest was done", during, i);
	EXPECT_LT(0, during);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* Written before PREPARE, through an HPT that is gone when the log is read. */
TEST_F_TIMEOUT(dirty, before, 300)
{
	u64 *random = &self->table->random;
	struct vcpu *vcpu = &self->vm->vcpu[0];
	unsigned int i, n = scaled(4);

	for (i = 0; i < n; i++) {
		unsigned int back = self->vm->order;
		unsigned int order = variant->grow ? back + 2 : back - 1;

		vm_dirty_log(self->vm, SLOT, self->bitmap);
		vcpu_call(vcpu, guest_write, guest_random(random) | 1, i + 1);
		ASSERT_EQ(0, table_resize(self->table, order));
		ASSERT_EQ(0, table_resize(self->table, back));
		vm_dirty_log(self->vm, SLOT, self->bitmap);
		ASSERT_EQ(0, check_log(self->vm, self->bitmap, i + 1));
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* Logging is turned on after the writes, and between PREPARE and COMMIT. */
TEST_F_TIMEOUT(dirty, logging_starts, 300)
{
	u64 *random = &self->table->random;
	struct vcpu *vcpu = &self->vm->vcpu[0];
	unsigned int i, n = scaled(2);

	for (i = 0; i < n; i++) {
		unsigned int back = self->vm->order;
		unsigned int order = variant->grow ? back + 1 : back - 1;
		int ret;

		ASSERT_EQ(0, vm_slot_set(self->vm, SLOT, GPA, 0));
		vcpu_call(vcpu, guest_write, guest_random(random) | 1,
			  2 * i + 1);
		ASSERT_EQ(0, resize_prepare(vcpu, order));
		ASSERT_EQ(0, vm_slot_set(self->vm, SLOT, GPA,
					 KVM_MEM_LOG_DIRTY_PAGES));
		vcpu_call(vcpu, guest_write, guest_random(random) | 1,
			  2 * i + 2);
		/* A change of memslots may have ended the resize. */
		ret = resize_commit(vcpu, order);
		if (ret)
			ASSERT_EQ(-ENXIO, ret);
		if (!ret)
			ASSERT_EQ(0, table_committed(self->table, order));
		vm_dirty_log(self->vm, SLOT, self->bitmap);
		ASSERT_EQ(0, check_log(self->vm, self->bitmap, 2 * i + 2));
		ASSERT_EQ(0, table_resize(self->table, back));
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* How many pages H_READ shows otherwise than the guest wrote them. */
static u64 guest_changed(u64 order, u64 value)
{
	unsigned int nr, wrong = 0;

	for (nr = 0; nr < PAGES; nr++) {
		u64 regs[9] = { 0, view_index(&guest_view, nr, order) };

		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_READ, regs));
		wrong += (written[nr] == value) != !!(regs[1] & HPTE_R_C);
	}
	return wrong;
}

/* KVM clears the bit of a page that is present; of an absent one it may stay. */
static void guest_clear(u64 order)
{
	unsigned int nr;
	u64 val;

	for (nr = 0; nr < PAGES; nr++) {
		if (!guest_load(view_ea(&guest_view, nr), &val))
			guest_fail(__LINE__, nr, 0);
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_CLEAR_MOD, 0,
					     view_index(&guest_view, nr, order),
					     0, 0));
	}
}

/* The change bits are the guest's, too: they follow an entry. */
TEST_F_TIMEOUT(dirty, guest_view_of_c, 300)
{
	u64 *random = &self->table->random;
	struct vcpu *vcpu = &self->vm->vcpu[0];
	unsigned int i, n = scaled(3);

	for (i = 0; i < n; i++) {
		unsigned int back = self->vm->order;
		unsigned int order = variant->grow ? back + 1 : back - 1;

		vcpu_call(vcpu, guest_clear, back, 0);
		EXPECT_EQ(0, vcpu_call(vcpu, guest_changed, back, ~0ull));
		/* Some before PREPARE, and some when it is ready. */
		vcpu_call(vcpu, guest_write, guest_random(random) | 1, i + 1);
		ASSERT_EQ(0, resize_prepare(vcpu, order));
		vcpu_call(vcpu, guest_write, guest_random(random) | 1, i + 1);
		ASSERT_EQ(0, resize_commit(vcpu, order));
		EXPECT_EQ(0, vcpu_call(vcpu, guest_changed, order, i + 1));
		ASSERT_EQ(0, table_committed(self->table, order));
		ASSERT_EQ(0, table_resize(self->table, back));
		EXPECT_EQ(0, vcpu_call(vcpu, guest_changed, back, i + 1));
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
