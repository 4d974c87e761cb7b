// SPDX-License-Identifier: GPL-2.0
/*
 * wakeup timer|ipi STATE...: how long a vCPU takes to wake up from an idle state:
 * snooze, native, emulated (two ways to stop) or cede. Prints, for lab/bench,
 *
 *   wakeup SOURCE STATE NS
 *
 * SAMPLES times for each: from when the decrementer was due, or just before another
 * vCPU sent the IPI, until the first instructions of the interrupt's handler. All
 * by the timebase, read in the guest.
 *
 * With an IPI each of the two vCPUs has a CPU of the host to itself.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm_hv_ext.h>

#include "clock.h"
#include "guest.h"
#include "hpt.h"
#include "interrupt.h"

#define SAMPLES		60
#define PERIOD		512000ul	/* ticks: 1 ms */
/* Each period is a bit longer, so that no loop keeps step with the timer. */
#define PERIOD_STEP	3571ul
#define IPI_PRIORITY	4

enum state { SNOOZE, NATIVE, EMULATED, CEDE };

static const char *const names[] = { "snooze", "native", "emulated", "cede" };

static struct interrupts ints[2];
static u64 latency[SAMPLES];	/* in ticks */
static u64 sent;		/* when the IPI was */
static u64 done;		/* samples; the sleeper writes it */

/* With MSR[EE] off before and after: until there may be an interrupt. */
static void idle(struct interrupts *mine, unsigned int vec, u64 before,
		 enum state state)
{
	switch (state) {
	case SNOOZE:
		guest_irq_on();
		while (guest_taken(mine, vec) == before)
			asm volatile("or 31,31,31");	/* very low priority */
		asm volatile("or 2,2,2");		/* medium */
		break;
	case NATIVE:
	case EMULATED:
		guest_stop();
		break;
	case CEDE:
		/* Sets MSR[EE]. */
		guest_hcall4(H_CEDE, 0, 0, 0, 0);
	}
	guest_irq_on();
	guest_irq_off();
}

static void sleep_until(struct interrupts *mine, unsigned int vec, u64 before,
			enum state state)
{
	while (guest_taken(mine, vec) == before)
		idle(mine, vec, before, state);
}

static u64 rest(struct interrupts *mine, u64 ticks, enum state state)
{
	u64 due = guest_timebase() + ticks;

	guest_set_dec(ticks);
	sleep_until(mine, VEC_DECREMENTER,
		    guest_taken(mine, VEC_DECREMENTER), state);
	guest_set_dec(DEC_FAR);
	return mine->tb - due;
}

static void guest_timer(u64 state, u64 unused)
{
	struct interrupts *mine = guest_begin(&ints[0]);
	u64 i;

	for (i = 0; i < SAMPLES; i++)
		latency[i] = rest(mine, PERIOD + i * PERIOD_STEP, state);
}

static void guest_sleeper(u64 state, u64 unused)
{
	struct interrupts *mine = guest_begin(&ints[0]);
	u64 i, regs[9];

	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_CPPR, 0xff, 0, 0, 0));
	for (i = 0; i < SAMPLES; i++) {
		sleep_until(mine, VEC_EXTERNAL, i, state);
		latency[i] = mine->tb - __atomic_load_n(&sent, __ATOMIC_ACQUIRE);
		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_XIRR, regs));
		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_IPI, 0, 0xff, 0, 0));
		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_EOI, regs[0], 0, 0, 0));
		__atomic_store_n(&done, i + 1, __ATOMIC_RELEASE);
	}
}

/* Its own way to wait is always the same, and leaves its CPU to the host. */
static void guest_waker(u64 unused, u64 unused2)
{
	struct interrupts *mine = guest_begin(&ints[1]);
	u64 i;

	for (i = 0; i < SAMPLES; i++) {
		rest(mine, PERIOD + i * PERIOD_STEP, CEDE);
		__atomic_store_n(&sent, guest_timebase(), __ATOMIC_RELEASE);
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_IPI, 0, IPI_PRIORITY, 0, 0));
		while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) == i)
			rest(mine, PERIOD, CEDE);
	}
}

static void pin(struct vcpu *vcpu, unsigned int cpu)
{
	cpu_set_t one;
	int ret;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ret = pthread_setaffinity_np(vcpu->thread, sizeof(one), &one);
	if (ret)
		die("no CPU %u: %s", cpu, strerror(ret));
}

static void measure(bool ipi, enum state state)
{
	struct vm *vm = vm_create(.vcpus = ipi ? 2 : 1);
	const u64 *ticks;
	unsigned int i;
	u64 ways = 0;
	int ret;

	if (state == NATIVE)
		ways = KVM_PPC_GUEST_STOP_EMULATED | KVM_PPC_GUEST_STOP_NATIVE;
	if (state == EMULATED)
		ways = KVM_PPC_GUEST_STOP_EMULATED;
	ret = ways ? vm_enable_stop(vm, ways, 0) : 0;
	if (ret)
		die("guest stop: %s", strerror(-ret));
	if (state == NATIVE && !(vm_has_ext(vm, KVM_CAP_PPC_GUEST_STOP) &
				 KVM_PPC_GUEST_STOP_NATIVE))
		die("this CPU is not good for native guest stop");
	vm_take_interrupts(vm);
	if (ipi) {
		vm_add_xics(vm);
		vcpu_start(&vm->vcpu[0], guest_sleeper, state, 0);
		pin(&vm->vcpu[0], 0);
		vcpu_start(&vm->vcpu[1], guest_waker, 0, 0);
		pin(&vm->vcpu[1], 1);
		vcpu_join(&vm->vcpu[1]);
		vcpu_join(&vm->vcpu[0]);
	} else {
		vcpu_call(&vm->vcpu[0], guest_timer, state, 0);
	}

	if (vm_guest(vm, ints[0])->taken[VEC_PROGRAM >> 8])
		die("stop does not work here: this needs 'make qemu'");
	ticks = *vm_guest(vm, latency);
	for (i = 0; i < SAMPLES; i++)
		printf("wakeup %s %s %lu\n", ipi ? "ipi" : "timer", names[state],
		       (long)ticks_ns(ticks[i]));
	fflush(stdout);
	vm_destroy(vm);
}

int main(int argc, char **argv)
{
	bool ipi = argc > 1 && !strcmp(argv[1], "ipi");
	unsigned int state;
	int i;

	if (argc < 3 || (!ipi && strcmp(argv[1], "timer")))
		die("usage: wakeup timer|ipi STATE...");
	module_want(true);
	for (i = 2; i < argc; i++) {
		for (state = 0; state < ARRAY_SIZE(names); state++)
			if (!strcmp(argv[i], names[state]))
				break;
		if (state == ARRAY_SIZE(names))
			die("%s: no idle state that is known here", argv[i]);
		measure(ipi, state);
	}
	return 0;
}
