// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest that prepares without end may cost the rest of the host: so many
 * beginnings in a second, fewer where there is no memory, and no hold on the balloon
 * for ever.
 */
#include <errno.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define ORDER		20

/* So long that no test takes it, however slow the host is. */
#define LONG_MS		100000

FIXTURE(throttle)
{
	struct vm *vm;
	struct vcpu *vcpu;
	long interval, backoff;
	int kmsg;
};

FIXTURE_ROADS(throttle);

FIXTURE_SETUP(throttle)
{
	const char *why = vmm_lacks_ext(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->interval = module_param("prepare_interval_ms");
	self->backoff = module_param("nomem_backoff_ms");
	self->vm = vm_create(.order = ORDER, .road = variant->road);
	self->vcpu = &self->vm->vcpu[0];
	vcpu_call(self->vcpu, guest_sum, 1, 2);
}

FIXTURE_TEARDOWN(throttle)
{
	module_set_param("prepare_interval_ms", self->interval);
	module_set_param("nomem_backoff_ms", self->backoff);
	module_set_param("fail_alloc", 0);
	close(self->kmsg);
	vm_destroy(self->vm);
}

/* Back to back, and with the cancel that is to undo it all. */
TEST_F(throttle, interval)
{
	unsigned int i;

	ASSERT_TRUE(module_set_param("prepare_interval_ms", LONG_MS));
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
		/* By hcall the hint is one second at most: Linux gives up at ten in all. */
		EXPECT_LE(1000, resize_prepare_once(self->vcpu, 0, ORDER + 1 + i % 2));
	}
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_EQ(1, vm_counter(self->vm, "counters", "prepares"));
	/* Nonsense is told at once all the same. */
	EXPECT_EQ(-EINVAL, resize_prepare_once(self->vcpu, 1, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* It is the beginning that counts: what is ready can be asked about and committed. */
TEST_F(throttle, interval_leaves_what_is_ready)
{
	ASSERT_TRUE(module_set_param("prepare_interval_ms", LONG_MS));
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	EXPECT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
}

/* And it ends. */
TEST_F(throttle, interval_ends)
{
	ASSERT_TRUE(module_set_param("prepare_interval_ms", 50));
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, resize(self->vcpu, ORDER));
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
}

TEST_F(throttle, no_memory)
{
	ASSERT_TRUE(module_set_param("prepare_interval_ms", 0));
	ASSERT_TRUE(module_set_param("nomem_backoff_ms", LONG_MS));
	if (!module_set_param("fail_alloc", 2))
		SKIP(return, "this module cannot fail on purpose");
	EXPECT_EQ(-ENOMEM, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_LE(1000, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	EXPECT_LE(1000, resize_prepare_once(self->vcpu, 0, ORDER - 1));
	EXPECT_EQ(1, vm_counter(self->vm, "counters", "prepares"));
	EXPECT_GUEST_RUNS(self->vcpu);
}

TEST_F(throttle, no_memory_ends)
{
	ASSERT_TRUE(module_set_param("prepare_interval_ms", 0));
	ASSERT_TRUE(module_set_param("nomem_backoff_ms", 50));
	if (!module_set_param("fail_alloc", 2))
		SKIP(return, "this module cannot fail on purpose");
	EXPECT_EQ(-ENOMEM, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
}

/* After a resize that came to nothing the next leaves the balloon alone. */
TEST_F(throttle, balloon)
{
	ASSERT_TRUE(module_set_param("prepare_interval_ms", 0));
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_EQ(1, vm_counter(self->vm, "balloon", "resize"));
	pause_us(2000000);
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	EXPECT_EQ(0, vm_counter(self->vm, "balloon", "resize"));
	EXPECT_LE(0, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	EXPECT_EQ(0, vm_counter(self->vm, "balloon", "resize"));
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
}

TEST_HARNESS_MAIN
