// SPDX-License-Identifier: GPL-2.0
/*
 * The VM is reset (KVM_PPC_ALLOCATE_HTAB) at a random moment of a resize: that
 * ends the resize, the HPT is empty, and the guest starts over.
 */
#include <errno.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "busy.h"
#include "gap.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "table.h"
#include "vmm.h"

#define ORDER		20
#define LATEST_US	20000

FIXTURE(reset)
{
	struct table *table;
	struct vcpu *vcpu;
	int kmsg;
};

FIXTURE_ROADS(reset);

FIXTURE_SETUP(reset)
{
	/* Stock KVM keeps what was prepared, and warns of a COMMIT then. */
	const char *why = vmm_lacks_ext(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = 2,
				   .road = variant->road);
	self->vcpu = self->table->vcpu;
}

FIXTURE_TEARDOWN(reset)
{
	close(self->kmsg);
	table_destroy(self->table);
}

/*
 * Reset, say COMMIT of what was prepared, and have the oracle know of the new
 * HPT what it knew of the old.
 */
static int reset(struct table *table, unsigned int order, unsigned int prepared)
{
	struct kvm_ppc_resize_hpt commit = { .shift = prepared };
	struct hpte *htab;
	unsigned int wrong;
	int ret;

	ret = vm_alloc_htab(table->vm, order);
	if (ret)
		return ret;
	/* Before anything else that could end the resize. */
	ret = vm_ioctl(table->vm, KVM_PPC_RESIZE_HPT_COMMIT, &commit);
	if (ret != -ENXIO)
		return ret ?: -EPROTO;
	oracle_free(table->oracle);
	table->oracle = oracle_new(order);
	wrong = table_check(table);
	if (wrong)
		return -EILSEQ;
	vcpu_call(table->vcpu, guest_sum, 1, 1);
	htab = htab_read(table->vm);
	oracle_add_vrma(table->oracle, htab);
	free(htab);
	return 0;
}

TEST_F_TIMEOUT(reset, anywhere, 120)
{
	unsigned int i, n = scaled(20);
	u64 *random = &self->table->random;

	for (i = 0; i < n; i++) {
		u64 r = guest_random(random);
		unsigned int to = HPT_MIN_ORDER + r % 6;
		/* To another order, or the same. */
		unsigned int order = r & 0x100 ? ORDER : ORDER + r / 16 % 2;
		int ret = 0;

		table_fill(self->table, 50);
		ASSERT_LE(0, resize_prepare_once(self->vcpu, 0, to));
		pause_us(guest_random(random) % LATEST_US);
		if (r & 0x200)
			ret = resize_prepare(self->vcpu, to);
		/* Or it is ready with two bolted entries in one slot. */
		if (ret != -ENOSPC)
			ASSERT_EQ(0, ret);
		ASSERT_EQ(0, reset(self->table, order, to));
		EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, to));
		table_fill(self->table, 50);
		EXPECT_EQ(0, table_check(self->table));
		if (r & 0x400)
			EXPECT_EQ(0, table_resize(self->table, ORDER + 3));
		EXPECT_GUEST_RUNS(self->vcpu);
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* Before the guest runs for the first time there is no VRMA to carry over. */
TEST_F(reset, commit_before_first_run)
{
	struct vm *vm = self->table->vm;

	/* The first hcall runs the guest: only the ioctl can come before. */
	vm->road = ROAD_IOCTL;
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	ASSERT_EQ(0, vm_alloc_htab(vm, ORDER));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

static unsigned long interruptions(const struct vm *vm)
{
	unsigned long n = 0;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		n += vm->vcpu[i].interrupted;
	return n;
}

/*
 * With vCPUs running there is no reset, and what was prepared ends all the same. None of
 * them runs where KVM_RUN of all has been interrupted just then, as PREPARE does.
 */
TEST_F_TIMEOUT(reset, refused_while_running, 120)
{
	struct vm *vm = self->table->vm;
	unsigned int i, n = scaled(10);

	vm->road = ROAD_IOCTL;
	for (i = 0; i < n; i++) {
		unsigned long before = interruptions(vm);
		int ret;

		busy_start(vm, guest_random(&self->table->random));
		EXPECT_LE(0, resize_prepare_once(self->vcpu, 0, ORDER + 2));
		pause_us(guest_random(&self->table->random) % LATEST_US);
		ret = vm_alloc_htab(vm, ORDER);
		busy_stop(vm);
		EXPECT_TRUE(ret == -EBUSY ||
			    (!ret && interruptions(vm) >= before + vm->nr_vcpus))
			TH_LOG("%d", ret);
		EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 2));
		ret = resize(self->vcpu, ORDER + 2);
		if (ret)
			EXPECT_EQ(-ENOSPC, ret);
		ASSERT_EQ(0, vm_alloc_htab(vm, ORDER));
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/*
 * Nor while one of them is in an hcall that is served by the module. When KVM_RUN has been
 * interrupted, which kernels do for work of their own, there is a reset, and there may be
 * more until the vCPU runs again.
 */
TEST_F_TIMEOUT(reset, refused_while_entering, 120)
{
	unsigned int i, n = scaled(2000), times = 0;
	struct vm *vm = vm_create(.vcpus = 1);
	int ret, last = -EBUSY;

	ASSERT_EQ(0, vm_set_limit(vm, __builtin_ctzl(sysconf(_SC_PAGESIZE)),
				  KVM_PPC_HPT_MAX_PAGE_STRICT));
	busy_start(vm, guest_random(&self->table->random));
	for (i = 0; i < n; i++) {
		ret = vm_alloc_htab(vm, vm->order);
		if (ret)
			EXPECT_EQ(-EBUSY, ret);
		times += !ret && last;
		last = ret;
	}
	busy_stop(vm);
	EXPECT_LE(times, interruptions(vm))
		TH_LOG("not refused %u times; KVM_RUN was interrupted %lu times", times,
		       interruptions(vm));
	vm_destroy(vm);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

/* No table has the order 0. Stock KVM takes it for that of one that is not there. */
TEST_F(reset, order_0)
{
	const u32 orders[] = { 1, HPT_MIN_ORDER - 1, HPT_MAX_ORDER + 1, ~0u };
	struct vm *vm = vm_create(.radix = true);
	unsigned int i;

	EXPECT_EQ(-EINVAL, vm_alloc_htab(vm, 0));
	for (i = 0; i < ARRAY_SIZE(orders); i++)
		EXPECT_EQ(-EINVAL, vm_alloc_htab(vm, orders[i]));
	EXPECT_EQ(-EINVAL, vm_alloc_htab(vm, 0));
	EXPECT_EQ(0, vm_alloc_htab(vm, ORDER));
	EXPECT_EQ(-EINVAL, vm_alloc_htab(vm, 0));
	/* By now stock KVM would have given up the table that there was. */
	EXPECT_EQ(-EINVAL, vm_alloc_htab(vm, 0));
	EXPECT_EQ(0, vm_alloc_htab(vm, ORDER));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vm_destroy(vm);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

struct fickle {
	u32 order;
	bool over;
};

static void *change_order(void *arg)
{
	struct fickle *me = arg;
	u32 i;

	for (i = 0; !__atomic_load_n(&me->over, __ATOMIC_RELAXED); i++)
		__atomic_store_n(&me->order, i & 1 ? ORDER : 0, __ATOMIC_RELAXED);
	return NULL;
}

/*
 * The order becomes 0 when it has been looked at. So nobody may rely on a look at it: a host
 * where somebody does is lost here.
 */
TEST_F_TIMEOUT(reset, order_0_at_last, 60)
{
	const unsigned int n = scaled(500);
	unsigned int i, made = 0, refused = 0;
	struct fickle fickle = { };
	pthread_t thread;
	struct vm *vm;
	int ret;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "two threads at the same time take two CPUs");
	vm = vm_create(.radix = true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_order, &fickle));
	for (i = 0; i < n; i++) {
		ret = vm_ioctl(vm, KVM_PPC_ALLOCATE_HTAB, &fickle.order);
		made += !ret;
		refused += ret == -EINVAL;
		/* Without a table again. */
		vm_alloc_htab(vm, 1);
	}
	__atomic_store_n(&fickle.over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	TH_LOG("%u times there was a table, %u times none", made, refused);
	EXPECT_EQ(n, made + refused);
	EXPECT_NE(0, made);
	EXPECT_NE(0, refused);
	vm_destroy(vm);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

struct slow_reset {
	struct vm *vm;
	struct gap gap;
	int ret;
};

static void *reset_slowly(void *arg)
{
	struct slow_reset *me = arg;

	me->ret = vm_ioctl(me->vm, KVM_PPC_ALLOCATE_HTAB, me->gap.mem);
	return NULL;
}

/* A reset takes its time to fetch the order: no resize may begin meanwhile. */
TEST_F_TIMEOUT(reset, no_prepare_meanwhile, 60)
{
	struct slow_reset slow = { .vm = self->table->vm };
	const u32 order = HPT_MIN_ORDER;
	pthread_t thread;

	if (!gap_open(&slow.gap, NULL))
		SKIP(return, "no userfaultfd here");
	self->table->vm->road = ROAD_IOCTL;
	ASSERT_EQ(0, pthread_create(&thread, NULL, reset_slowly, &slow));
	gap_await(&slow.gap);
	EXPECT_EQ(-EBUSY, resize_prepare_once(self->vcpu, 0, ORDER + 2));
	/* The table is somebody else's. */
	EXPECT_EQ(-EBUSY, resize_commit(self->vcpu, ORDER + 2));
	gap_let_in(&slow.gap, &order, sizeof(order));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, slow.ret);
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 2));

	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
