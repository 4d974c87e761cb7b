// SPDX-License-Identifier: GPL-2.0
/*
 * The VMM is killed at a random moment of a resize, with its vCPUs running:
 * all memory comes back, and the kernel has nothing to say. Stock KVM (6.1, 6.12)
 * loses the HPT that was being prepared, for good.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "busy.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define ORDER		20
#define LATEST_US	40000	/* a PREPARE and a COMMIT, on a slow host */

FIXTURE(kill)
{
	struct mem_use before;
	int kmsg;
};

FIXTURE_VARIANT(kill)
{
	enum vm_road road;
	bool settle;	/* let the new HPT be ready before the end */
};

FIXTURE_VARIANT_ADD(kill, anywhere)
{
	.road = ROAD_IOCTL,
};

FIXTURE_VARIANT_ADD(kill, prepared)
{
	.road = ROAD_IOCTL,
	.settle = true,
};

FIXTURE_VARIANT_ADD(kill, hcall_anywhere)
{
	.road = ROAD_HCALL,
};

FIXTURE_SETUP(kill)
{
	const char *why = vmm_lacks_ext(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
}

FIXTURE_TEARDOWN(kill)
{
	close(self->kmsg);
}

static void guest_nothing(void)
{
}

/* Resize until killed. One vCPU asks, the others change the HPT meanwhile. */
static void victim(enum vm_road road, bool settle, u64 seed, int ready)
{
	struct vm *vm = vm_create(.order = ORDER, .vcpus = 3, .road = road);
	struct vcpu *asks = &vm->vcpu[2];

	vcpu_call(asks, guest_nothing, 0, 0);
	vm->nr_vcpus = 2;
	busy_start(vm, seed);
	if (settle && resize_prepare(asks, ORDER + 4))
		die("cannot prepare");
	if (write(ready, "", 1) != 1)
		die("nobody waits");
	while (settle)
		pause();
	for (;;) {
		unsigned int order = HPT_MIN_ORDER + guest_random(&seed) % 6;
		int ret = resize(asks, order);

		if (ret && ret != -ENOSPC && ret != -ENXIO && ret != -EBUSY)
			die("resize to %u: %d", order, ret);
		if (guest_random(&seed) % 4 == 0)
			resize_prepare_once(asks, 0, order ^ 1);
	}
}

static void one_life(enum vm_road road, bool settle, u64 *random)
{
	int pipefd[2], status;
	pid_t pid;
	char c;

	if (pipe(pipefd))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipefd[0]);
		victim(road, settle, guest_random(random), pipefd[1]);
	}
	close(pipefd[1]);
	if (read(pipefd[0], &c, 1) != 1)
		die("the victim died of itself");
	close(pipefd[0]);
	if (!settle)
		pause_us(guest_random(random) % LATEST_US);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		die("the victim ended with status %#x before it was killed",
		    status);
}

TEST_F_TIMEOUT(kill, lives, 300)
{
	unsigned int i, n = scaled(8);
	u64 random = test_seed();

	/* The first one leaves caches behind, which are no leak. */
	one_life(variant->road, variant->settle, &random);
	pause_us(LATEST_US);
	mem_use(&self->before);
	for (i = 0; i < n; i++)
		one_life(variant->road, variant->settle, &random);
	counted(n + 1, "VMMs-killed");
	EXPECT_TRUE(mem_returned(&self->before, 5000));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

#define LARGE		27

/* A table that is prepared is free when its VM has ended, not some time later. */
TEST(free_when_it_ends)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);
	const long kib = 1l << (LARGE - 10);
	struct mem_use during, after;
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	vm = vm_create(.order = ORDER);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	ASSERT_EQ(0, resize_prepare(&vm->vcpu[0], LARGE));
	mem_use(&during);
	/* As nobody else gets the CPU then, but while we wait. */
	ASSERT_EQ(0, setpriority(PRIO_PROCESS, 0, -20));
	vcpu_destroy(&vm->vcpu[0]);
	vm->nr_vcpus = 0;
	close(vm->fd);
	mem_look(&after);
	/* Of what goes back to the reserve the CPUs keep any number of pages at hand. */
	EXPECT_GE(during.vmalloc_used - kib * 9 / 10, after.vmalloc_used);
	vm->fd = -1;
	vm_destroy(vm);
}

TEST_HARNESS_MAIN
