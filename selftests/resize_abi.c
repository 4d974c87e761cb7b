// SPDX-License-Identifier: GPL-2.0
/*
 * Every answer that PREPARE and COMMIT have, by ioctl and by hcall; and that
 * the guest still runs on the old HPT after each that is not a success.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER	20
#define ENTRIES	200

FIXTURE(abi)
{
	struct table *table;
	struct vcpu *vcpu;
};

FIXTURE_ROADS(abi);

FIXTURE_SETUP(abi)
{
	const char *why = vmm_lacks(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->table = table_create(.order = ORDER, .road = variant->road);
	self->vcpu = self->table->vcpu;
	table_fill(self->table, ENTRIES);
}

FIXTURE_TEARDOWN(abi)
{
	table_destroy(self->table);
}

/* The guest runs, the HPT is as it was, and can still be resized. */
#define EXPECT_UNHARMED(self) do {					\
	EXPECT_EQ(ORDER, (self)->table->vm->order);			\
	EXPECT_GUEST_RUNS((self)->vcpu);\
	EXPECT_EQ(0, table_check((self)->table));			\
	EXPECT_EQ(0, table_resize((self)->table, ORDER + 1));		\
	EXPECT_GUEST_RUNS((self)->vcpu);\
} while (0)

TEST_F(abi, flags)
{
	static const u64 flags[] = { 1, 2, 1ull << 32, 1ull << 63, ~0ull };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		EXPECT_EQ(-EINVAL, resize_prepare_once(self->vcpu, flags[i], 21));
		EXPECT_EQ(-EINVAL, resize_commit_flags(self->vcpu, flags[i], 21));
	}
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	EXPECT_EQ(-EINVAL, resize_prepare_once(self->vcpu, 1, 21));
	EXPECT_EQ(-EINVAL, resize_commit_flags(self->vcpu, 1, 21));
	/* A call refused for its arguments leaves what is prepared. */
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 21));
	EXPECT_UNHARMED(self);
}

TEST_F(abi, shift_out_of_range)
{
	/* The ioctl's shift has 32 bits, so the last but one is 0x80000000. */
	const u64 top = variant->road == ROAD_HCALL ? 1ull << 63 : 1u << 31;
	const u64 shifts[] = { 1, 2, 16, 17, 47, 48, 63, 64, 255, top,
				    top | 20, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		EXPECT_EQ(-EINVAL, resize_prepare_once(self->vcpu, 0, shifts[i]));
		EXPECT_EQ(-EINVAL, resize_commit(self->vcpu, shifts[i]));
	}
	EXPECT_UNHARMED(self);
}

TEST_F(abi, commit_without_prepare)
{
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 18));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 21));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 46));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 0));
	EXPECT_UNHARMED(self);
}

TEST_F(abi, commit_twice)
{
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	EXPECT_EQ(0, resize_commit(self->vcpu, 21));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 21));
	EXPECT_EQ(0, table_committed(self->table, 21));
	EXPECT_GUEST_RUNS(self->vcpu);
}

TEST_F(abi, commit_of_another_shift)
{
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 22));
	EXPECT_UNHARMED(self);
}

TEST_F(abi, prepare_again)
{
	int ret = resize_prepare_once(self->vcpu, 0, 22);

	EXPECT_GE(ret, 0);
	ASSERT_EQ(0, resize_prepare(self->vcpu, 22));
	/* Ready stays ready. */
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 22));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 22));
	EXPECT_EQ(0, resize_commit(self->vcpu, 22));
	EXPECT_EQ(0, table_committed(self->table, 22));
}

TEST_F(abi, prepare_another_shift)
{
	ASSERT_EQ(0, resize_prepare(self->vcpu, 22));
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 22));
	/* While still at work on the other, too. */
	EXPECT_GE(resize_prepare_once(self->vcpu, 0, 23), 0);
	EXPECT_GE(resize_prepare_once(self->vcpu, 0, 22), 0);
	EXPECT_GE(resize_prepare_once(self->vcpu, 0, 19), 0);
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	EXPECT_EQ(0, resize_commit(self->vcpu, 21));
	EXPECT_EQ(0, table_committed(self->table, 21));
}

TEST_F(abi, cancel)
{
	/* With nothing to cancel, at work, and ready. */
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	EXPECT_GE(resize_prepare_once(self->vcpu, 0, 23), 0);
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 23));
	ASSERT_EQ(0, resize_prepare(self->vcpu, 21));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, 21));
	EXPECT_UNHARMED(self);
}

TEST_F(abi, same_order)
{
	EXPECT_EQ(0, table_resize(self->table, ORDER));
	EXPECT_GUEST_RUNS(self->vcpu);
}

TEST_F(abi, no_memory)
{
	int ret = resize_prepare(self->vcpu, KVM_MAX_ORDER);

	/* In the kernel, policy refuses it before memory does. */
	EXPECT_EQ(variant->road == ROAD_HCALL ? -EPERM : -ENOMEM, ret);
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, KVM_MAX_ORDER));
	EXPECT_UNHARMED(self);
}

/* More entries than KVM's reverse maps can name, on whatever host. */
TEST_F(abi, beyond_the_reverse_maps)
{
	unsigned int order;

	if (vmm_lacks_ext(variant->road))
		SKIP(return, "stock KVM tries");
	for (order = KVM_MAX_ORDER + 1; order <= HPT_MAX_ORDER; order++) {
		EXPECT_EQ(variant->road == ROAD_HCALL ? -EPERM : -EINVAL,
			  resize_prepare_once(self->vcpu, 0, order));
		EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, order));
	}
	EXPECT_UNHARMED(self);
}

/* An administrator who wants no limit says so with the largest number there is. */
TEST_F(abi, order_slack)
{
	static const long slack[] = { 1, 100, UINT_MAX };
	long old = module_param("hpt_order_slack");
	unsigned int i;

	if (variant->road != ROAD_HCALL)
		SKIP(return, "a VMM has its own policy");
	EXPECT_TRUE(module_set_param("hpt_order_slack", 0));
	EXPECT_EQ(-EPERM, resize_prepare_once(self->vcpu, 0, KVM_MAX_ORDER));
	for (i = 0; i < ARRAY_SIZE(slack); i++) {
		EXPECT_TRUE(module_set_param("hpt_order_slack", slack[i]));
		EXPECT_EQ(0, resize_prepare(self->vcpu, 24));
		EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	}
	EXPECT_TRUE(module_set_param("hpt_order_slack", old));
	EXPECT_UNHARMED(self);
}

/* PREPARE of a large HPT takes a while, COMMIT does not wait for it. */
TEST_F(abi, commit_too_early)
{
	const unsigned int order = 26;
	struct vm *vm = vm_create(.order = ORDER, .road = variant->road,
				  .room = 8 * GIB);
	struct vcpu *vcpu = &vm->vcpu[0];

	EXPECT_GUEST_RUNS(vcpu);
	EXPECT_LT(0, resize_prepare_once(vcpu, 0, order));
	EXPECT_EQ(-EBUSY, resize_commit(vcpu, order));
	EXPECT_GUEST_RUNS(vcpu);
	EXPECT_EQ(0, resize(vcpu, order));
	EXPECT_GUEST_RUNS(vcpu);
	vm_destroy(vm);
}

TEST_F(abi, radix_guest)
{
	const int no = variant->road == ROAD_HCALL ? -EOPNOTSUPP : -EINVAL;
	struct vcpu *vcpu;
	struct vm *vm;

	if (!vm_has_ext(self->table->vm, KVM_CAP_PPC_MMU_RADIX))
		SKIP(return, "no radix guests on this host");
	vm = vm_create(.radix = true, .road = variant->road);
	vcpu = &vm->vcpu[0];
	EXPECT_GUEST_RUNS(vcpu);
	EXPECT_EQ(no, resize_prepare_once(vcpu, 0, 21));
	EXPECT_EQ(no, resize_prepare_once(vcpu, 0, 0));
	EXPECT_EQ(no, resize_commit(vcpu, 21));
	EXPECT_GUEST_RUNS(vcpu);
	vm_destroy(vm);
}

static unsigned int seen_by_vmm;

static void count_resize_hcalls(struct vcpu *vcpu, struct kvm_run *run)
{
	seen_by_vmm += run->papr_hcall.nr == H_RESIZE_HPT_PREPARE ||
		       run->papr_hcall.nr == H_RESIZE_HPT_COMMIT;
	run->papr_hcall.ret = (u64)H_RESOURCE;
}

/* A VMM that did not opt in serves the hcalls itself, as ever. */
TEST(hcalls_without_opt_in)
{
	const char *why = vmm_lacks(ROAD_IOCTL);
	struct vcpu *vcpu;
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	vm = vm_create(.order = ORDER);
	vcpu = &vm->vcpu[0];
	vm->hcall = count_resize_hcalls;
	EXPECT_EQ(H_RESOURCE, vcpu_hcall2(vcpu, H_RESIZE_HPT_PREPARE, 0, 21));
	EXPECT_EQ(H_RESOURCE, vcpu_hcall2(vcpu, H_RESIZE_HPT_COMMIT, 0, 21));
	EXPECT_EQ(2, seen_by_vmm);
	vm_destroy(vm);
}

TEST(choice_of_strategy)
{
	struct kvm_enable_cap ec = { .cap = KVM_CAP_PPC_HPT_RESIZE };
	unsigned int i, mask;
	struct vcpu *vcpu;
	struct vm *vm;

	vm = vm_create(.order = ORDER);
	vcpu = &vm->vcpu[0];
	mask = vm_has_ext(vm, KVM_CAP_PPC_HPT_RESIZE);
	if (!mask)
		SKIP(return, "kvm-hv-ext is not loaded");
	EXPECT_GUEST_RUNS(vcpu);

	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	ec.args[0] = mask + 1;
	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	ec.args[0] = 1ull << 32;
	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	for (i = 0; i < 32; i++) {
		ec.args[0] = 1ull << i;
		EXPECT_EQ(mask & (1u << i) ? 0 : -EINVAL,
			  vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	}

	ec.args[0] = KVM_PPC_HPT_RESIZE_COPY;
	ASSERT_EQ(0, resize_prepare(vcpu, 21));
	EXPECT_EQ(-EBUSY, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	/* What is in force is no change: a VMM sets it at each reset. */
	ec.args[0] = KVM_PPC_HPT_RESIZE_MIRROR;
	EXPECT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	ec.args[0] = KVM_PPC_HPT_RESIZE_COPY;
	EXPECT_EQ(0, resize_prepare_once(vcpu, 0, 0));
	EXPECT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	EXPECT_EQ(0, resize(vcpu, 21));
	vm_destroy(vm);
}

TEST(state_of_a_vm)
{
	const u32 reserved[11] = {};
	struct kvm_ppc_hv_ext_state state;
	struct kvm_enable_cap ec = {};
	struct vcpu *vcpu;
	struct vm *vm;

	vm = vm_create(.order = ORDER, .road = ROAD_IOCTL);
	vcpu = &vm->vcpu[0];
	if (!(vm_has_ext(vm, KVM_CAP_PPC_HV_EXT) & KVM_PPC_HV_EXT_STATE_GET))
		SKIP(return, "kvm-hv-ext is not loaded");

	EXPECT_EQ(-EFAULT, vm_ioctl(vm, KVM_PPC_HV_EXT_STATE, (void *)8));
	memset(&state, 0xff, sizeof(state));
	ASSERT_EQ(0, vm_ioctl(vm, KVM_PPC_HV_EXT_STATE, &state));
	EXPECT_EQ(ORDER, state.hpt_order);
	EXPECT_EQ(0, memcmp(reserved, state.reserved, sizeof(reserved)));

	/* What the VMM chose; each may be chosen again, and is still the same. */
	ec.cap = KVM_CAP_PPC_HPT_RESIZE;
	ec.args[0] = KVM_PPC_HPT_RESIZE_COPY;
	EXPECT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	ec.cap = KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT;
	ec.args[0] = 13;
	ec.args[1] = KVM_PPC_HPT_MAX_PAGE_STRICT;
	EXPECT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	EXPECT_GUEST_RUNS(vcpu);
	EXPECT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	ASSERT_EQ(0, resize(vcpu, ORDER + 1));

	ASSERT_EQ(0, vm_ioctl(vm, KVM_PPC_HV_EXT_STATE, &state));
	EXPECT_EQ(ORDER + 1, state.hpt_order);
	EXPECT_EQ(KVM_PPC_HPT_RESIZE_COPY, state.resize_strategy);
	EXPECT_EQ(13, state.max_page_shift);
	EXPECT_EQ(KVM_PPC_HPT_MAX_PAGE_STRICT, state.max_page_flags);
	vm_destroy(vm);
}

#define ASKERS	8

struct asker {
	struct vm *vm;
	pthread_t thread;
	unsigned long times;
	int mask;
	unsigned int wrong;
};

static void *ask_again_and_again(void *arg)
{
	struct asker *me = arg;
	unsigned long i;

	for (i = 0; i < me->times; i++)
		me->wrong += vm_has_ext(me->vm, KVM_CAP_PPC_HPT_RESIZE) != me->mask;
	return NULL;
}

/*
 * Threads that are preempted while they ask and continue on another CPU: each gets its own
 * answer, and the host survives it.
 */
TEST_F_TIMEOUT(abi, asked_by_many, 120)
{
	struct asker asker[ASKERS];
	unsigned int i;

	if (vmm_lacks_ext(variant->road))
		SKIP(return, "kvm-hv-ext is not loaded");
	for (i = 0; i < ASKERS; i++) {
		asker[i] = (struct asker){
			.vm = self->table->vm,
			.times = scaled(5000),
			.mask = KVM_PPC_HPT_RESIZE_COPY | KVM_PPC_HPT_RESIZE_MIRROR,
		};
		ASSERT_EQ(0, pthread_create(&asker[i].thread, NULL,
					    ask_again_and_again, &asker[i]));
	}
	for (i = 0; i < ASKERS; i++) {
		pthread_join(asker[i].thread, NULL);
		EXPECT_EQ(0, asker[i].wrong);
	}
	EXPECT_UNHARMED(self);
}

TEST_HARNESS_MAIN
