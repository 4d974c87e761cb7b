// SPDX-License-Identifier: GPL-2.0
/*
 * The memory for a new HPT is not to be had: PREPARE says so, the guest runs on
 * its old one, nothing is lost, and a retry with memory works.
 *
 * The reserve (CMA) that HPTs come from is really used up, by other VMs; and each
 * allocation that a resize makes is failed in turn, as the module lets a test do.
 */
#include <errno.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER		20
#define ENTRIES		200

/* More than the page allocator ever has in one piece, so only CMA can serve. */
#define WANTED		27
#define MAX_HOGS	64

/* So often that HPTs which are lost are more than anybody else may take meanwhile. */
#define AGAIN		10

FIXTURE(nomem)
{
	struct table *table;
	struct vcpu *vcpu;
	struct vm *hog[MAX_HOGS];
	unsigned int hogs;
	int kmsg;
};

FIXTURE_ROADS(nomem);

FIXTURE_SETUP(nomem)
{
	const char *why = vmm_lacks(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	/* Room for the order that policy is to allow: 16 GiB call for 27. */
	self->table = table_create(.order = ORDER, .road = variant->road,
				   .room = 16 * GIB);
	self->vcpu = self->table->vcpu;
	/* Behind that, so that what is made for it has to go again. */
	vm_slot_add(self->table->vm, 1, BIT(41), MIB, 0, 0);
	table_fill(self->table, ENTRIES);
}

FIXTURE_TEARDOWN(nomem)
{
	while (self->hogs)
		vm_destroy(self->hog[--self->hogs]);
	close(self->kmsg);
	table_destroy(self->table);
}

/* VMs with a large HPT each, until there is no memory for another one. */
static int use_up(struct vm **hog, unsigned int *hogs)
{
	int ret;

	do {
		hog[*hogs] = vm_create(.order = HPT_MIN_ORDER);
		ret = vm_alloc_htab(hog[*hogs], WANTED);
		++*hogs;
	} while (!ret && *hogs < MAX_HOGS);
	return ret;
}

TEST_F_TIMEOUT(nomem, reserve_used_up, 300)
{
	struct mem_use before;
	unsigned int i;
	int ret;

	ret = use_up(self->hog, &self->hogs);
	if (!ret)
		SKIP(return, "this host has memory for more than %u tables", MAX_HOGS);
	ASSERT_EQ(-ENOMEM, ret);
	mem_use(&before);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-ENOMEM, resize_prepare(self->vcpu, WANTED));
		EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, WANTED));
		EXPECT_GUEST_RUNS(self->vcpu);
		EXPECT_EQ(0, table_check(self->table));
		table_churn(self->table, 20);
	}
	EXPECT_TRUE(mem_returned(&before, 2000));
	/* There is memory for less, just not for that. */
	EXPECT_EQ(0, table_resize(self->table, ORDER + 1));

	while (self->hogs)
		vm_destroy(self->hog[--self->hogs]);
	EXPECT_EQ(0, resize(self->vcpu, WANTED));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* A resize of which the n-th allocation fails; what is lost is lost several times. */
static int resize_short_of(struct vcpu *vcpu, int nth, bool *failed)
{
	int i, ret = -ENOMEM;

	*failed = true;
	for (i = 0; i < AGAIN && *failed && ret == -ENOMEM; i++) {
		if (!module_set_param("fail_alloc", nth))
			die("cannot set fail_alloc");
		ret = resize(vcpu, ORDER + 1);
		*failed = !module_param("fail_alloc");
		module_set_param("fail_alloc", 0);
	}
	return ret;
}

TEST_F_TIMEOUT(nomem, each_allocation, 300)
{
	const int at_least = 5;	/* its state, HPT, reverse map, each memslot's */
	struct mem_use before;
	int nth, ret;
	bool failed;

	if (module_param("fail_alloc") < 0)
		SKIP(return, "no kvm-hv-ext with fail_alloc is loaded");
	EXPECT_EQ(0, table_resize(self->table, ORDER));
	mem_use(&before);
	for (nth = 1; nth < 100; nth++) {
		ret = resize_short_of(self->vcpu, nth, &failed);
		EXPECT_GUEST_RUNS(self->vcpu);
		if (!failed)
			break;
		EXPECT_EQ(-ENOMEM, ret) TH_LOG("allocation %d", nth);
		EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
		EXPECT_EQ(0, table_check(self->table));
		table_churn(self->table, 20);
	}
	TH_LOG("%d allocations in a resize", nth - 1);
	EXPECT_LE(at_least, nth - 1);
	EXPECT_GT(100, nth);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, table_committed(self->table, ORDER + 1));
	EXPECT_EQ(0, table_resize(self->table, ORDER));
	EXPECT_TRUE(mem_returned(&before, 2000));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
