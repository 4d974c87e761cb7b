// SPDX-License-Identifier: GPL-2.0
/*
 * What debugfs and the tracepoints show of a VM's resizes is what was done.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER		20
#define RECORDS		16	/* that the file "resizes" has at most */

/* A buffer of our own, so that nobody else's is disturbed. */
#define INSTANCE	"/sys/kernel/tracing/instances/kvm-hv-ext-shown"

FIXTURE(shown)
{
	struct table *table;
	struct vm *vm;
	struct vcpu *vcpu;
	char text[65536];
};

FIXTURE_ROADS(shown);

FIXTURE_SETUP(shown)
{
	const char *why = vmm_lacks_ext(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->table = table_create(.order = ORDER, .road = variant->road);
	self->vm = self->table->vm;
	self->vcpu = self->table->vcpu;
	table_fill(self->table, 50);
}

FIXTURE_TEARDOWN(shown)
{
	table_destroy(self->table);
}

#define shown(file)	vm_shown(self->vm, file, self->text, sizeof(self->text))

TEST_F(shown, state)
{
	unsigned long long done, total;
	unsigned int order;
	int n;

	EXPECT_STREQ("20\n", shown("hpt_order"));
	EXPECT_STREQ("idle\n", shown("state"));
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	n = sscanf(shown("state"), "ready order %u bytes %llu/%llu\n", &order, &done, &total);
	ASSERT_EQ(3, n);
	EXPECT_EQ(21, order);
	EXPECT_EQ(total, done);
	EXPECT_STREQ("20\n", shown("hpt_order"));
	ASSERT_EQ(0, resize_commit(self->vcpu, 21));
	EXPECT_STREQ("21\n", shown("hpt_order"));
	EXPECT_STREQ("idle\n", shown("state"));
}

TEST_F(shown, strategy)
{
	struct kvm_enable_cap copy = {
		.cap = KVM_CAP_PPC_HPT_RESIZE,
		.args = { KVM_PPC_HPT_RESIZE_COPY },
	};
	struct kvm_enable_cap mirror = {
		.cap = KVM_CAP_PPC_HPT_RESIZE,
		.args = { KVM_PPC_HPT_RESIZE_MIRROR },
	};

	ASSERT_EQ(0, vm_ioctl(self->vm, KVM_ENABLE_CAP, &copy));
	EXPECT_STREQ("copy\n", shown("strategy"));
	ASSERT_EQ(0, vm_ioctl(self->vm, KVM_ENABLE_CAP, &mirror));
	EXPECT_STREQ("mirror\n", shown("strategy"));
}

TEST_F(shown, counters)
{
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	/* Ended by another, by 0, by a new memslot. */
	ASSERT_EQ(0, resize_prepare(self->vcpu, 22));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	vm_slot_add(self->vm, 1, GIB, MIB, 0, 0);
	ASSERT_EQ(0, resize(self->vcpu, 21));
	EXPECT_EQ(4, vm_counter(self->vm, "counters", "prepares"));
	EXPECT_EQ(1, vm_counter(self->vm, "counters", "commits"));
	EXPECT_EQ(0, vm_counter(self->vm, "counters", "commit_failures"));
	EXPECT_EQ(2, vm_counter(self->vm, "counters", "cancelled_guest"));
	EXPECT_EQ(1, vm_counter(self->vm, "counters", "cancelled_memslot"));
	EXPECT_EQ(0, vm_counter(self->vm, "counters", "cancelled_reset"));
}

/* A PREPARE that has failed, before anybody was told. */
TEST_F(shown, failed)
{
	const char *failed = "failed order 21 ";
	unsigned long long end = now_us() + 10000000;

	if (module_param("fail_alloc") < 0)
		SKIP(return, "no kvm-hv-ext with fail_alloc is loaded");
	/* The first is made by the call itself. */
	ASSERT_TRUE(module_set_param("fail_alloc", 2));
	EXPECT_LT(0, resize_prepare_once(self->vcpu, 0, 21));
	while (strncmp(shown("state"), failed, strlen(failed)) && now_us() < end)
		pause_us(1000);
	EXPECT_EQ(0, module_param("fail_alloc"));
	EXPECT_EQ(-ENOMEM, resize_commit(self->vcpu, 21));
	EXPECT_EQ(-ENOMEM, resize_prepare_once(self->vcpu, 0, 21));
	EXPECT_STREQ("idle\n", shown("state"));
	EXPECT_EQ(0, table_resize(self->table, 21));
}

/*
 * The last ones, oldest first. No order is below the first one: two of the table's
 * bolted entries may want one slot there.
 */
TEST_F_TIMEOUT(shown, resizes, 120)
{
	const char *road = variant->road == ROAD_HCALL ? "hcall" : "ioctl";
	unsigned int i, from, to, n = RECORDS + 3;
	char strategy[16], by[16];
	char *line;
	int got;

	for (i = 0; i < n; i++) {
		got = resize(self->vcpu, ORDER + 1 - i % 2);
		ASSERT_EQ(0, got);
	}
	line = strchr(shown("resizes"), '\n');
	for (i = n - RECORDS; i < n; i++) {
		ASSERT_NE(NULL, line);
		got = sscanf(line, "%u %u %15s %15s", &from, &to, strategy, by);
		ASSERT_EQ(4, got);
		EXPECT_EQ(ORDER + i % 2, from);
		EXPECT_EQ(ORDER + 1 - i % 2, to);
		EXPECT_STREQ(road, by);
		line = strchr(line + 1, '\n');
	}
	EXPECT_STREQ("\n", line);
}

/* What the buffer has so far. */
static const char *traced(char *text, size_t size)
{
	FILE *f = fopen(INSTANCE "/trace", "r");

	if (!f)
		die("there is no trace");
	text[fread(text, 1, size - 1, f)] = 0;
	fclose(f);
	return text;
}

TEST_F(shown, tracepoints)
{
	const char *road = variant->road == ROAD_HCALL ? "hcall" : "ioctl";
	char line[64];

	/* One may have been left by a run that failed. */
	if (mkdir(INSTANCE, 0700) && errno != EEXIST)
		SKIP(return, "no tracefs here");
	ASSERT_EQ(0, file_write(INSTANCE "/events/kvm_hv_ext/enable", "1"));
	ASSERT_EQ(0, resize_prepare(self->vcpu, 22));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	ASSERT_EQ(0, resize(self->vcpu, 21));
	/* The next one waits for the harvest. */
	ASSERT_EQ(0, resize(self->vcpu, 20));
	EXPECT_EQ(0, file_write(INSTANCE "/events/kvm_hv_ext/enable", "0"));
	traced(self->text, sizeof(self->text));
	snprintf(line, sizeof(line), "order 20 -> 22 by %s\n", road);
	EXPECT_NE(NULL, strstr(self->text, line));
	EXPECT_NE(NULL, strstr(self->text, "hvx_progress: "));
	EXPECT_NE(NULL, strstr(self->text, " order 22: 0 after "));
	EXPECT_NE(NULL, strstr(self->text, " order 22 by guest\n"));
	snprintf(line, sizeof(line), "order 21 -> 20 by %s\n", road);
	EXPECT_NE(NULL, strstr(self->text, line));
	EXPECT_NE(NULL, strstr(self->text, "hvx_harvest: "));
	EXPECT_NE(NULL, strstr(self->text, "hvx_commit: "));
	EXPECT_EQ(0, rmdir(INSTANCE));
}

TEST_HARNESS_MAIN
