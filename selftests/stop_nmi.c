// SPDX-License-Identifier: GPL-2.0
/*
 * stop_nmi native|emulated|off SECONDS: a guest that wants the host. (stop_nmi lacks:
 * why there is no native stop here.)
 *
 * It stops with the address of code of its own in LR, over and over, until that code
 * has been executed or SECONDS are over. Kernels that take a system reset for a
 * wakeup before they ask whether a guest was running jump there, in hypervisor real
 * mode. Somebody else has to cause the system reset while the guest has stopped:
 * see lab/check-nmi. Prints "taken over" with what the code found, "safe" if it never
 * ran, or "no stop" if the guest's stop is not let through.
 *
 * The code does no harm: it leaves its mark, and returns to the guest as if nothing
 * had been. The host does not notice.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "guest.h"
#include "host.h"
#include "stop.h"

/* For who looks at the CPU from outside: GPR30 says who it is, GPR31 that it stops. */
#define WHO	0x73746f706e6d69ul	/* "stopnmi" */
#define STOPS	0x53544f50ul		/* "STOP" */

#define MSR_HV	BIT(60)
#define MSR_IR	BIT(5)
#define MSR_DR	BIT(4)

/* Alone in its 4 KiB, as only that much is in one piece in real memory. */
extern u64 loot[4];
extern char intruder[];

asm(
"	.pushsection .data\n"
"	.balign	4096\n"
"	.globl	loot, intruder\n"
"loot:	.space	32\n"
"intruder:\n"			/* LR is here; GPR3..5 and cr0 are the host's */
"	mflr	%r5\n"
"	mfmsr	%r4\n"
"	std	%r4,-32(%r5)\n"
"	mfspr	%r4,319\n"	/* LPID */
"	std	%r4,-24(%r5)\n"
"	mfsrr1	%r4\n"
"	std	%r4,-16(%r5)\n"
"	lis	%r5,0x783f\n"	/* the reason is no part of the guest's MSR */
"	andc	%r4,%r4,%r5\n"
"	mtsrr1	%r4\n"
"	mfspr	%r13,305\n"	/* HSPRG1, where the handler keeps GPR13 */
"	rfid\n"
"	.balign	4096\n"
"	.popsection\n");

static struct interrupts ints[1];

/* Return: the MSR that the intruder had, 0 if it never ran. */
static u64 guest_wait(u64 real, u64 ticks)
{
	u64 end = guest_timebase() + ticks;
	volatile u64 *seen = loot;

	guest_begin(ints);
	while (!*seen && guest_timebase() < end &&
	       !guest_taken(ints, VEC_PROGRAM)) {
		register u64 who asm("r30") = WHO;
		register u64 stops asm("r31") = STOPS;
		register u64 code asm("r29") = real;

		guest_set_dec(DEC_FAR);
		asm volatile("mtlr	%2\n"
			     ".long	0x4c0002e4\n"
			     "li	%1,0\n"
			     : "+r" (who), "+r" (stops) : "r" (code)
			     : "memory", "cr0", "lr", "r3", "r4", "r5");
	}
	return *seen;
}

/* The real address of a page of this process. */
static u64 real_address(void *page)
{
	u64 entry, size = getpagesize();
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || mlock(page, 4096) ||
	    pread(fd, &entry, sizeof(entry), (unsigned long)page / size * 8) !=
	    sizeof(entry))
		die("/proc/self/pagemap cannot be read");
	close(fd);
	if (!(entry & BIT(63)) || !(entry & (BIT(55) - 1)))
		die("no real address: only root may see it");
	return (entry & (BIT(55) - 1)) * size + (unsigned long)page % size;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "off", "emulated", "native" };
	static const u64 ways[] = { 0, STOP_EMULATED, STOP_NATIVE };
	unsigned int mode;
	struct vm *vm;
	u64 real, *saw;

	if (argc == 2 && !strcmp(argv[1], "lacks")) {
		const char *why = lacks_stop(STOP_NATIVE);

		printf("%s\n", why ?: "nothing");
		return 0;
	}
	for (mode = 0; argc == 3 && mode < ARRAY_SIZE(modes); mode++)
		if (!strcmp(argv[1], modes[mode]))
			break;
	if (argc != 3 || mode == ARRAY_SIZE(modes))
		die("usage: stop_nmi native|emulated|off SECONDS");

	vm = vm_create_stop(ways[mode], 1, IPI_NONE);
	saw = *vm_guest(vm, loot);
	real = real_address(saw) + (intruder - (char *)loot);
	vcpu_call(&vm->vcpu[0], guest_wait, real,
		  strtoul(argv[2], NULL, 0) * 1000 * DEC_MS);
	if (vm_guest(vm, ints[0])->taken[VEC_PROGRAM >> 8])
		printf("no stop\n");
	else if (saw[0] & MSR_HV && !(saw[0] & (MSR_IR | MSR_DR)))
		printf("taken over: MSR %#lx, LPID %lu, SRR1 %#lx\n",
		       (long)saw[0], (long)saw[1], (long)saw[2]);
	else if (saw[0])
		printf("code ran with MSR %#lx\n", (long)saw[0]);
	else
		printf("safe\n");
	vm_destroy(vm);
	return 0;
}
