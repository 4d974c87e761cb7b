// SPDX-License-Identifier: GPL-2.0
/*
 * wakeup timer|ipi STATE...: how long a vCPU takes to wake up from an idle state:
 * snooze, native, emulated (two ways to stop) or cede. Prints, for lab/bench,
 *
 *   wakeup SOURCE STATE NS
 *
 * SAMPLES times for each: from when the decrementer was due, or just before another
 * vCPU sent the IPI, until the interrupt was taken and the code that had waited for
 * it goes on. All by the timebase, read in the guest.
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
#include "stop.h"

#define SAMPLES		60
#define PERIOD		DEC_MS
/* Each period is a bit longer, so that no loop keeps step with the timer. */
#define PERIOD_STEP	3571ul

enum state { SNOOZE, NATIVE, EMULATED, CEDE, BUSY };

static const char *const names[] = { "snooze", "native", "emulated", "cede" };

static struct interrupts ints[2];
static u64 latency[SAMPLES];	/* in ticks */
static u64 sent;		/* when the IPI was */
static u64 going;		/* to sleep, so many times; the sleeper writes it */

/*
 * With MSR[EE] off before and after: until there may be an interrupt. The vectors
 * leave it off, so that one is taken only once.
 */
static void idle(struct interrupts *mine, unsigned int vec, u64 before,
		 enum state state)
{
	switch (state) {
	case SNOOZE:
		guest_irq_on();
		while (guest_taken(mine, vec) == before)
			guest_relax();
		break;
	case NATIVE:
	case EMULATED:
		guest_stop();
		guest_irq_on();
		break;
	case CEDE:
		/* Sets MSR[EE]. */
		guest_hcall4(H_CEDE, 0, 0, 0, 0);
		break;
	case BUSY:
		guest_irq_on();
		while (guest_taken(mine, vec) == before)
			;
	}
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
	due = guest_timebase() - due;
	guest_set_dec(DEC_FAR);
	return due;
}

static void guest_timer(u64 state, u64 unused)
{
	struct interrupts *mine = guest_begin(&ints[0]);
	u64 i;

	for (i = 0; i < SAMPLES; i++)
		latency[i] = rest(mine, PERIOD + i * PERIOD_STEP, state);
}

/* The first time warms up. */
static void guest_sleeper(u64 state, u64 unused)
{
	struct interrupts *mine = guest_begin(&ints[0]);
	u64 i, now;

	guest_ipi_begin();
	for (i = 0; i <= SAMPLES; i++) {
		__atomic_store_n(&going, i + 1, __ATOMIC_RELEASE);
		do {
			sleep_until(mine, VEC_EXTERNAL,
				    guest_taken(mine, VEC_EXTERNAL), state);
			now = guest_timebase();
		} while (!guest_ipi_end(0));
		if (i)
			latency[i - 1] = now -
				__atomic_load_n(&sent, __ATOMIC_ACQUIRE);
	}
	__atomic_store_n(&going, i + 1, __ATOMIC_RELEASE);
}

static void wait_for_sleeper(u64 nr)
{
	while (__atomic_load_n(&going, __ATOMIC_ACQUIRE) < nr)
		guest_relax();
}

/*
 * Is busy until it sends: on its way out of the host, where emulated CPUs take turns,
 * it would come upon the sleeper always at the same point of a loop. Once the IPI is
 * sent, no turn of its own is to hold up the sleeper, which has a CPU to itself.
 */
static void guest_waker(u64 unused, u64 unused2)
{
	struct interrupts *mine = guest_begin(&ints[1]);
	u64 i;

	for (i = 0; i <= SAMPLES; i++) {
		wait_for_sleeper(i + 1);
		rest(mine, PERIOD + i * PERIOD_STEP, BUSY);
		__atomic_store_n(&sent, guest_timebase(), __ATOMIC_RELEASE);
		guest_ipi_send(0);
	}
	wait_for_sleeper(i + 1);
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
	const u64 *ticks;
	unsigned int i;
	struct vm *vm;
	u64 ways = 0;

	if (state == NATIVE)
		ways = STOP_NATIVE;
	if (state == EMULATED)
		ways = STOP_EMULATED;
	vm = vm_create_stop(ways, ipi ? 2 : 1, ipi ? IPI_XIVE : IPI_NONE);
	if (state == NATIVE && !(vm_has_ext(vm, KVM_CAP_PPC_GUEST_STOP) &
				 KVM_PPC_GUEST_STOP_NATIVE))
		die("no native guest stop: see guest_stop_native");
	if (ipi) {
		/* Of emulated CPUs that take turns the first one's comes first. */
		vcpu_start(&vm->vcpu[0], guest_sleeper, state, 0);
		pin(&vm->vcpu[0], 1);
		vcpu_start(&vm->vcpu[1], guest_waker, 0, 0);
		pin(&vm->vcpu[1], 0);
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
