// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody waits for a page for as long as he likes: a vCPU in a fault of the host's,
 * a VMM that writes or reads a table. Nobody else is kept waiting for that: not the
 * other vCPUs, not an ioctl, not the worker.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "gap.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define ORDER		20
#define RAM		(32 * MIB)
#define HOLE		(24 * MIB)

/*
 * The longest that the other vCPU may stand still, and an ioctl may take. Both are far
 * above what is measured, 30 ms and 0.6 s, for an emulated host is not alone on its
 * machine; and far below the 10 s of a wait for the vCPU that does not come.
 */
#define LONGEST_PAUSE_MS	(5000 * host_slower())
#define LONGEST_IOCTL_US	(5000000ull * host_slower())

FIXTURE(stall)
{
	struct vm *vm;
	struct gap gap;
	unsigned long long slowest;	/* us, of the ioctls so far */
	int kmsg;
};

FIXTURE_VARIANT(stall)
{
	unsigned int strategy;
};

FIXTURE_VARIANT_ADD(stall, mirror)
{
	.strategy = KVM_PPC_HPT_RESIZE_MIRROR,
};

FIXTURE_VARIANT_ADD(stall, copy)
{
	.strategy = KVM_PPC_HPT_RESIZE_COPY,
};

/* The guest's side. */
static volatile u64 longest, turns;
static volatile bool over;

static u64 guest_compute(void)
{
	u64 now, last = guest_timebase();

	while (!over) {
		now = guest_timebase();
		if (now - last > longest)
			longest = now - last;
		last = now;
		turns++;
	}
	return turns;
}

static u64 guest_touch(u64 gpa)
{
	return *(volatile u64 *)gpa;
}

FIXTURE_SETUP(stall)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);
	void *mem;

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	mem = vmm_map_backing(RAM, sysconf(_SC_PAGESIZE));
	if (!gap_open(&self->gap, mem + HOLE))
		SKIP(return, "no userfaultfd here");
	self->vm = vm_create(.order = ORDER, .vcpus = 3, .ram = RAM,
			     .memory = mem, .strategy = variant->strategy);
	vcpu_call(&self->vm->vcpu[0], guest_sum, 1, 2);
}

FIXTURE_TEARDOWN(stall)
{
	close(self->kmsg);
	vm_destroy(self->vm);
}

#define TIMED(_self, _call) ({						\
	unsigned long long __start = now_us(), __took;			\
	typeof(_call) __ret = (_call);					\
									\
	__took = now_us() - __start;					\
	if (__took > (_self)->slowest)					\
		(_self)->slowest = __took;				\
	__ret;								\
})

static void compute(struct vm *vm)
{
	vcpu_start(&vm->vcpu[1], guest_compute, 0, 0);
	while (!*vm_guest(vm, turns))
		;
	*vm_guest(vm, longest) = 0;
}

/* How long the vCPU that computes stood still at most. */
static unsigned long longest_ms(struct vm *vm)
{
	return *vm_guest(vm, longest) / 512000;	/* 512 MHz */
}

static void computed(struct vm *vm)
{
	*vm_guest(vm, over) = true;
	vcpu_join(&vm->vcpu[1]);
}

/* PREPARE of a mirror cannot begin, COMMIT of a copy cannot switch. */
TEST_F_TIMEOUT(stall, vcpu, 60)
{
	bool mirror = variant->strategy == KVM_PPC_HPT_RESIZE_MIRROR;
	struct vcpu *asks = &self->vm->vcpu[0], *waits = &self->vm->vcpu[2];
	const u64 word = 0x1234;
	unsigned int i;

	compute(self->vm);
	vcpu_start(waits, guest_touch, HOLE, 0);
	gap_await(&self->gap);

	if (mirror) {
		for (i = 0; i < 40; i++) {
			ASSERT_LT(0, TIMED(self, resize_prepare_once(asks, 0, ORDER + 1)));
			pause_us(25000);
		}
		ASSERT_EQ(-EBUSY, TIMED(self, resize_commit(asks, ORDER + 1)));
	} else {
		ASSERT_EQ(0, resize_prepare(asks, ORDER + 1));
		ASSERT_EQ(-EBUSY, TIMED(self, resize_commit(asks, ORDER + 1)));
		ASSERT_EQ(0, resize_prepare_once(asks, 0, ORDER + 1));
	}
	/* What can be seen is not waited for either. */
	ASSERT_EQ(1, TIMED(self, vm_counter(self->vm, "counters", "prepares")));
	TH_LOG("the other vCPU stood still for %lu ms, the slowest ioctl took %llu ms",
	       longest_ms(self->vm), self->slowest / 1000);
	EXPECT_GT(LONGEST_PAUSE_MS, longest_ms(self->vm));
	EXPECT_GT(LONGEST_IOCTL_US, self->slowest);

	/* When it has its page all goes on. */
	gap_let_in(&self->gap, &word, sizeof(word));
	EXPECT_EQ(word, vcpu_join(waits));
	EXPECT_EQ(0, resize(asks, ORDER + 1));
	EXPECT_GUEST_RUNS(asks);
	computed(self->vm);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* It may be the page that comes first, with PREPARE still waiting for its turn. */
TEST_F_TIMEOUT(stall, vcpu_then_ready, 60)
{
	struct vcpu *asks = &self->vm->vcpu[0], *waits = &self->vm->vcpu[2];
	const u64 word = 0x4321;

	compute(self->vm);
	vcpu_start(waits, guest_touch, HOLE, 0);
	gap_await(&self->gap);
	EXPECT_LT(0, resize_prepare_once(asks, 0, ORDER + 1));
	pause_us(200000);
	gap_let_in(&self->gap, &word, sizeof(word));
	EXPECT_EQ(word, vcpu_join(waits));
	EXPECT_EQ(0, resize(asks, ORDER + 1));
	EXPECT_EQ(1, vm_counter(self->vm, "counters", "prepares"));
	computed(self->vm);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

struct slow_write {
	int fd;
	struct gap gap;
	ssize_t ret;
};

static void *write_slowly(void *arg)
{
	struct slow_write *me = arg;

	me->ret = write(me->fd, me->gap.mem, sizeof(struct kvm_get_htab_header));
	return NULL;
}

/* A write to the table takes its time to fetch what to write, under a lock. */
TEST_F_TIMEOUT(stall, htab_write, 60)
{
	const struct kvm_get_htab_header nothing = { .index = 8 };
	struct vcpu *asks = &self->vm->vcpu[0];
	struct slow_write slow;
	pthread_t thread;

	ASSERT_TRUE(gap_open(&slow.gap, NULL));
	slow.fd = htab_fd(self->vm, KVM_GET_HTAB_WRITE);
	ASSERT_LE(0, slow.fd);
	ASSERT_EQ(0, resize_prepare(asks, ORDER + 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_slowly, &slow));
	gap_await(&slow.gap);

	EXPECT_EQ(-EBUSY, TIMED(self, resize_commit(asks, ORDER + 1)));
	EXPECT_EQ(0, TIMED(self, resize_prepare_once(asks, 0, ORDER + 1)));
	EXPECT_GT(LONGEST_IOCTL_US, self->slowest);

	gap_let_in(&slow.gap, &nothing, sizeof(nothing));
	pthread_join(thread, NULL);
	EXPECT_EQ((ssize_t)sizeof(nothing), slow.ret);
	close(slow.fd);
	EXPECT_EQ(0, resize(asks, ORDER + 1));
	EXPECT_GUEST_RUNS(asks);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/*
 * The dirty log is copied under kvm->slots_lock. A worker that waited for that lock
 * would be one less for all other VMs; and a table that nobody commits is freed.
 */
TEST_F_TIMEOUT(stall, dirty_log, 60)
{
	long timeout = module_param("commit_timeout_ms");
	struct vcpu *asks = &self->vm->vcpu[0];
	struct gap_log slow = { .vm = self->vm };
	unsigned long long end = now_us() + 20000000;
	pthread_t thread;

	vm_slot_add(self->vm, 1, GIB, 64 * MIB, 0, KVM_MEM_LOG_DIRTY_PAGES);
	ASSERT_TRUE(gap_open(&slow.gap, NULL));
	ASSERT_EQ(0, pthread_create(&thread, NULL, gap_read_log, &slow));
	gap_await(&slow.gap);

	EXPECT_EQ(0, resize_prepare(asks, ORDER + 1));
	EXPECT_EQ(-EBUSY, TIMED(self, resize_commit(asks, ORDER + 1)));
	EXPECT_EQ(0, TIMED(self, resize_prepare_once(asks, 0, ORDER + 1)));
	EXPECT_GT(LONGEST_IOCTL_US, self->slowest);

	EXPECT_TRUE(module_set_param("commit_timeout_ms", 100));
	EXPECT_EQ(0, resize_prepare(asks, ORDER + 2));
	while (!vm_counter(self->vm, "counters", "cancelled_timeout") &&
	       now_us() < end)
		pause_us(10000);
	EXPECT_EQ(1, vm_counter(self->vm, "counters", "cancelled_timeout"));
	EXPECT_TRUE(module_set_param("commit_timeout_ms", timeout));

	gap_let_in(&slow.gap, "", 1);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, slow.ret);
	EXPECT_EQ(0, resize(asks, ORDER + 1));
	EXPECT_GUEST_RUNS(asks);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
