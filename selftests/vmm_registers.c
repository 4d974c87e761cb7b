// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN leaves the registers of the VMM alone that a function call leaves alone: f14 to f31
 * and v20 to v31. Stock KVM puts them away before it enters the guest; a thread that is
 * scheduled away after that has them loaded again, and the guest's on top. So a compiler that
 * keeps a pointer there, as GCC does, gets one of the guest's choice.
 */
#include <pthread.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define REGISTERS	24

static const u64 ours[REGISTERS] = { [0 ... REGISTERS - 1] = 0x766d6d2773206f77ul };

/* f20 to f31 and the first halves of v20 to v31: those two can be had by one instruction. */
#define VSRS	"20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, "	\
		"52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63"

/* The compiler has to know that they change, or it may keep something there. */
#define NON_VOLATILE "fr20", "fr21", "fr22", "fr23", "fr24", "fr25", "fr26", "fr27",	\
	"fr28", "fr29", "fr30", "fr31", "v20", "v21", "v22", "v23", "v24", "v25",	\
	"v26", "v27", "v28", "v29", "v30", "v31"

#define LOAD	".irp vsr, " VSRS "\n\t"	\
		"ld 0, 0(%0)\n\t"		\
		"mtvsrd \\vsr, 0\n\t"		\
		"addi %0, %0, 8\n\t"		\
		".endr"

static __always_inline void load(const u64 *from)
{
	asm volatile(LOAD : "+b"(from) : : "r0", "memory", NON_VOLATILE);
}

static __always_inline void store(u64 *to)
{
	asm volatile(".irp vsr, " VSRS "\n\t"
		     "mfvsrd 0, \\vsr\n\t"
		     "std 0, 0(%0)\n\t"
		     "addi %0, %0, 8\n\t"
		     ".endr" : "+b"(to) : : "r0", "memory", NON_VOLATILE);
}

#define MSR_MATH	0x02802000ul	/* FP, VEC and VSX */

/* The guest has that in all of them, and still does when this has returned. */
static void guest_fills(u64 value)
{
	u64 theirs[REGISTERS], msr, *from = theirs;
	unsigned int i;

	for (i = 0; i < REGISTERS; i++)
		theirs[i] = value;
	asm volatile("mfmsr %0\n\tor %0, %0, %1\n\tmtmsrd %0"
		     : "=&r"(msr) : "r"(MSR_MATH) : "memory");
	asm volatile(LOAD : "+b"(from) : : "r0", "memory");
}

/* Return: how many have another value after the guest has run. */
static unsigned int lost_in_a_run(struct vcpu *vcpu)
{
	u64 found[REGISTERS];
	unsigned int i, lost = 0;

	load(ours);
	vcpu_call(vcpu, guest_fills, 0x6775657374, 0);
	store(found);
	for (i = 0; i < REGISTERS; i++)
		lost += found[i] != ours[i];
	return lost;
}

static bool over;

/* So that the vCPU's thread is scheduled away often. */
static void *compete(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		sched_yield();
	return NULL;
}

TEST(kept)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);
	unsigned int i, n = scaled(3000), runs = 0, registers = 0;
	pthread_t thread;
	cpu_set_t one;
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	vm = vm_create(.order = HPT_MIN_ORDER);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, pthread_create(&thread, NULL, compete, NULL));
	for (i = 0; i < n; i++) {
		unsigned int lost = lost_in_a_run(&vm->vcpu[0]);

		runs += !!lost;
		registers += lost;
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, runs)
		TH_LOG("after %u runs of %u, %u registers in all", runs, n, registers);
	vm_destroy(vm);
}

TEST_HARNESS_MAIN
