// SPDX-License-Identifier: GPL-2.0
/*
 * The HTAB descriptor, by which a VM is migrated, is opened, read and written
 * at random moments of a resize: what it shows is what the guest entered.
 */
#include <errno.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER		20
#define LATEST_US	20000

FIXTURE(htabfd)
{
	struct table *table;
	struct vcpu *vcpu;
	bool ext;
	int kmsg;
};

FIXTURE_ROADS(htabfd);

FIXTURE_SETUP(htabfd)
{
	const char *why = vmm_lacks(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->ext = !vmm_lacks_ext(variant->road);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .road = variant->road);
	self->vcpu = self->table->vcpu;
	table_fill(self->table, 200);
}

FIXTURE_TEARDOWN(htabfd)
{
	close(self->kmsg);
	table_destroy(self->table);
}

/* Opening for reading ends a resize in flight (stock KVM lets it go on). */
TEST_F_TIMEOUT(htabfd, read_anywhere, 120)
{
	unsigned int i, n = scaled(20);
	u64 *random = &self->table->random;

	for (i = 0; i < n; i++) {
		unsigned int to = HPT_MIN_ORDER + 2 + guest_random(random) % 4;
		int ret;

		table_fill(self->table, 20);
		ASSERT_LE(0, resize_prepare_once(self->vcpu, 0, to));
		pause_us(guest_random(random) % LATEST_US);
		/* Opens, reads all there is, closes. */
		ASSERT_EQ(0, table_check(self->table));
		ret = resize_commit(self->vcpu, to);
		if (self->ext)
			EXPECT_EQ(-ENXIO, ret);
		if (!ret)
			ASSERT_EQ(0, table_committed(self->table, to));
		table_churn(self->table, 20);
		ret = table_resize(self->table, to);
		if (ret)
			ASSERT_EQ(-ENOSPC, ret);
		EXPECT_GUEST_RUNS(self->vcpu);
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* Entries that come by the descriptor are carried over as the guest's own. */
TEST_F_TIMEOUT(htabfd, write_then_resize, 120)
{
	unsigned int i, n = scaled(100);
	struct table *table = self->table;

	for (i = 0; i < n; i++) {
		struct page page;
		struct hpte hpte;
		u64 hash, index;

		table_random_page(table, &page);
		hash = page_hash(&page);
		index = hash_group(hash, page.secondary, ORDER) *
			HPTES_PER_GROUP + i % 7;
		if (oracle_at(table->oracle, index)) {
			htab_write(table->vm, index, NULL);
			oracle_remove(table->oracle, index);
			continue;
		}
		hpte.v = page_v(&page);
		hpte.r = page_r(&page);
		htab_write(table->vm, index, &hpte);
		oracle_add(table->oracle, index, hash, hpte.v, hpte.r);
	}
	EXPECT_EQ(0, table_check(table));
	EXPECT_EQ(0, table_resize(table, ORDER + 1));
	EXPECT_EQ(0, table_resize(table, ORDER + 3));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/*
 * While it stays open a resize waits; with stock KVM it is done, and the reader
 * then meets another table, which the kernel must not mind.
 */
TEST_F_TIMEOUT(htabfd, kept_open, 120)
{
	int fd = htab_fd(self->table->vm, 0);
	char buf[4096];

	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, buf, sizeof(buf)));
	if (self->ext) {
		EXPECT_EQ(-EBUSY, resize_prepare_once(self->vcpu, 0, ORDER + 1));
		pause_us(LATEST_US);
		EXPECT_EQ(-EBUSY, resize_prepare_once(self->vcpu, 0, ORDER + 1));
		EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	} else {
		ASSERT_EQ(0, table_resize(self->table, ORDER + 1));
	}
	while (read(fd, buf, sizeof(buf)) == sizeof(buf))
		;
	close(fd);
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, table_check(self->table));
	EXPECT_EQ(0, table_resize(self->table, ORDER + 2));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* How long a small table takes at most, by far. */
#define PREPARED_US	200000

/*
 * QEMU sends the order of the HPT long before it opens the descriptor, and logs
 * writes to RAM from before that on. So nothing is resized while it does.
 */
TEST_F_TIMEOUT(htabfd, ram_is_logged, 120)
{
	struct vm *vm = self->table->vm;
	int ret;

	if (!self->ext)
		SKIP(return, "stock KVM resizes while a VM is migrated");

	/* Ready when logging begins. */
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	ASSERT_EQ(0, vm_slot_set(vm, 0, 0, KVM_MEM_LOG_DIRTY_PAGES));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_EQ(ORDER, htab_order(vm));

	/* Asked for while it goes on: later. */
	EXPECT_EQ(-EBUSY, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	pause_us(PREPARED_US);
	EXPECT_EQ(-EBUSY, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	EXPECT_EQ(-EBUSY, resize_prepare_once(self->vcpu, 0, ORDER - 1));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER - 1));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	EXPECT_EQ(-EINVAL, resize_prepare_once(self->vcpu, 0, 1));

	/* The migration was given up. */
	ASSERT_EQ(0, vm_slot_set(vm, 0, 0, 0));
	ret = table_resize(self->table, ORDER + 1);
	EXPECT_EQ(0, ret);
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, table_check(self->table));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
