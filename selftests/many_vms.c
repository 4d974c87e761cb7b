// SPDX-License-Identifier: GPL-2.0
/*
 * Many VMs on one host: each is told from all others, and to find one costs no more
 * than when there were few. That is part of every load of a vCPU, so otherwise one
 * user's VMs would slow down everybody's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_hv_ext.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "host.h"
#include "memory.h"
#include "vmm.h"
#include "work.h"

/* There are 4096 LPIDs at most, some fewer on POWER8. */
#define MANY		2000u
#define MOST		4000u
#define WATCHED		16u
#define LOADS		4u	/* in less than a tick of the timer, which counts, too */
#define ATTEMPTS	160u

/*
 * More than a longer chain of the hash table now and then can make, and on a kernel that
 * watches itself more than what it has to do varies by. To look at each VM takes thousands.
 */
#define MORE_WORK(few)	(64 + (few) / 16)

static int new_vm(int kvm)
{
	int fd = ioctl(kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);

	if (fd < 0)
		die("KVM_CREATE_VM: %s", strerror(errno));
	return fd;
}

/* The file descriptors that takes. */
static void room_for(unsigned int files)
{
	struct rlimit limit = { .rlim_cur = files, .rlim_max = files };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE of %u: %s", files, strerror(errno));
}

static void load_vcpus(void *arg)
{
	int *vcpu = arg;
	struct kvm_sregs sregs;
	unsigned int i, n;

	for (n = 0; n < LOADS; n++)
		for (i = 0; i < WATCHED; i++)
			if (ioctl(vcpu[i], KVM_GET_SREGS, &sregs))
				die("KVM_GET_SREGS: %s", strerror(errno));
}

static u64 work_of_a_load(int *vcpu)
{
	return work_of(load_vcpus, vcpu, ATTEMPTS) / (LOADS * WATCHED);
}

FIXTURE(many)
{
	unsigned int nr, all;
	int *vm;
	int kvm;
};

FIXTURE_SETUP(many)
{
	const char *why = vmm_lacks_limit();

	if (why)
		SKIP(return, "%s", why);
	self->all = scaled(MANY) < MOST ? scaled(MANY) : MOST;
	room_for(self->all + 100);
	self->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	self->vm = calloc(self->all, sizeof(*self->vm));
	ASSERT_NE(NULL, self->vm);
}

FIXTURE_TEARDOWN(many)
{
}

TEST_F_TIMEOUT(many, cost_of_a_load, 300)
{
	struct kvm_sregs sregs;
	int vcpu[WATCHED];
	unsigned int i;
	u64 few, many;

	if (!work_counted())
		SKIP(return, "this host does not count instructions");
	for (i = 0; i < WATCHED; i++) {
		self->vm[i] = new_vm(self->kvm);
		vcpu[i] = ioctl(self->vm[i], KVM_CREATE_VCPU, 0);
		ASSERT_LE(0, vcpu[i]);
		ASSERT_EQ(0, ioctl(vcpu[i], KVM_GET_SREGS, &sregs));
	}
	few = work_of_a_load(vcpu);
	for (; i < self->all; i++)
		self->vm[i] = new_vm(self->kvm);
	many = work_of_a_load(vcpu);
	TH_LOG("a load among %u VMs: %llu instructions, among %u: %llu", WATCHED,
	       (unsigned long long)few, self->all, (unsigned long long)many);
	EXPECT_LT(many, few + MORE_WORK(few));
}

static int set_limit(int fd, u64 shift)
{
	struct kvm_enable_cap ec = {
		.cap = KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT,
		.args = { shift },
	};

	return ioctl(fd, KVM_ENABLE_CAP, &ec) ? -errno : 0;
}

/* The limit that is its own can be set again, no other. */
static bool is_itself(const int *vm, unsigned int i)
{
	unsigned int shift = 12 + i % 52;

	return !set_limit(vm[i], shift) &&
	       set_limit(vm[i], 12 + (i + 1) % 52) == -EBUSY;
}

/* While the table grows and shrinks, all that are there are found. */
TEST_F_TIMEOUT(many, told_apart, 300)
{
	unsigned int all = self->all / 8 * 2, i, wrong = 0;
	int *vm = self->vm;

	for (i = 0; i < all; i++) {
		vm[i] = new_vm(self->kvm);
		ASSERT_EQ(0, set_limit(vm[i], 12 + i % 52));
		wrong += !is_itself(vm, i / 2);
	}
	EXPECT_EQ(0, wrong);
	for (i = 0; i < all; i++)
		wrong += !is_itself(vm, i);
	EXPECT_EQ(0, wrong);
	/* Every other one goes, then all but a few. */
	for (i = 0; i < all; i += 2) {
		close(vm[i]);
		wrong += !is_itself(vm, i + 1);
	}
	EXPECT_EQ(0, wrong);
	for (i = 1; i + 16 < all; i += 2) {
		close(vm[i]);
		wrong += !is_itself(vm, (all - 1) | 1);
	}
	EXPECT_EQ(0, wrong);
	for (; i < all; i += 2)
		wrong += !is_itself(vm, i);
	EXPECT_EQ(0, wrong);
}

TEST_HARNESS_MAIN
