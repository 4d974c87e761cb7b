// SPDX-License-Identifier: GPL-2.0
/*
 * stop_nmi native|emulated|off SECONDS: a guest that wants the host. (stop_nmi lacks:
 * why there is no native stop here.)
 *
 * It stops with the address of code of its own in LR, over and over, until that code
 * has been executed or SECONDS are over. Kernels that take a system reset or machine
 * check for a wakeup before they ask whether a guest was running jump there, in
 * hypervisor real mode. Somebody else has to cause one while the guest has stopped:
 * see machine/nmi.sh. Prints "taken over" with what the code found, "safe" if it never
 * ran, "machine check" if the guest got that itself, or "no stop" if the guest's stop
 * is not let through.
 *
 * The code does no harm: it leaves its mark, and returns to the guest as if nothing
 * had been.
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

/*
 * Alone in its 4 KiB, as only that much is in one piece in real memory: what the
 * intruder found (and whether the guest got a machine check itself), what it needs to
 * go back, and itself.
 */
extern u64 loot[4], keep[21];
extern char intruder[], machine_check[], machine_check_end[];

#define EACH_REG	".irp	reg,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27," \
			"28,29,30,31\n"

/*
 * LR is here. Of the other registers the host's handlers leave GPR1 as it was, but
 * the rest may be anything; GPR3 is SRR1, with the reason, that is no part of an MSR.
 */
asm("	.pushsection .data\n"
"	.balign	4096\n"
"	.globl	loot, keep, intruder, machine_check, machine_check_end\n"
"loot:	.space	32\n"
"keep:	.space	168\n"
"	.macro	BACK_TO_THE_GUEST\n"
"	lis	%r4,0x783f\n"
"	andc	%r3,%r3,%r4\n"
"	mtsrr1	%r3\n"
"	ld	%r4,keep-intruder(%r5)\n"
"	mtsrr0	%r4\n"
"	ld	%r2,keep-intruder+8(%r5)\n"
	EACH_REG
"	ld	%r\\reg,keep-intruder+(\\reg-11)*8(%r5)\n"
"	.endr\n"
"	.endm\n"
"intruder:\n"
"	mflr	%r5\n"
"	mfmsr	%r4\n"
"	std	%r4,loot-intruder(%r5)\n"
"	mfspr	%r4,319\n"	/* LPID */
"	std	%r4,loot-intruder+8(%r5)\n"
"	std	%r3,loot-intruder+16(%r5)\n"
"	BACK_TO_THE_GUEST\n"
"	rfid\n"
	/* And the guest's own, when KVM passes one on. */
"machine_check:\n"
"	lis	%r5,intruder@ha\n"
"	addi	%r5,%r5,intruder@l\n"
"	mfsrr1	%r3\n"
"	li	%r4,1\n"
"	std	%r4,loot-intruder+24(%r5)\n"
"	BACK_TO_THE_GUEST\n"
"	rfid\n"
"machine_check_end:\n"
"	.balign	4096\n"
"	.popsection\n");

static struct interrupts ints[1];

/* Return: the MSR that the intruder had, 0 if it never ran. */
static u64 guest_wait(u64 real, u64 ticks)
{
	u64 end = guest_timebase() + ticks;
	volatile u64 *seen = loot;

	guest_begin(ints);
	while (!seen[0] && !seen[3] && guest_timebase() < end &&
	       !guest_taken(ints, VEC_PROGRAM)) {
		register u64 who asm("r30") = WHO;
		register u64 stops asm("r31") = 0;
		register u64 code asm("r29") = real;

		guest_set_dec(DEC_FAR);
		asm volatile("std	%%r2,8(%3)\n"
			     EACH_REG
			     "std	\\reg,(\\reg-11)*8(%3)\n"
			     ".endr\n"
			     "bcl	20,31,1f\n"
			     "1: mflr	%%r11\n"
			     "addi	%%r11,%%r11,2f-1b\n"
			     "std	%%r11,0(%3)\n"
			     "mtlr	%2\n"
			     /* Not before it does: QEMU pauses between two branches. */
			     "mr	%1,%4\n"
			     ".long	0x4c0002e4\n"
			     "li	%1,0\n"
			     /* Where stops are emulated: to be met in the guest. */
			     "2: lis	%%r3,1\n"
			     "mtctr	%%r3\n"
			     "3: bdnz	3b\n"
			     : "+r" (who), "+r" (stops)
			     : "r" (code), "b" (keep), "r" (STOPS)
			     : "memory", "cr0", "cr1", "cr2", "cr3", "cr4", "cr5",
			       "cr6", "cr7", "lr", "ctr", "xer", "r0", "r3", "r4",
			       "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12");
	}
	return seen[0];
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
	memcpy(vm_host(vm, 0x200), machine_check,
	       machine_check_end - machine_check);
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
	else if (saw[3])
		printf("machine check\n");
	else
		printf("safe\n");
	vm_destroy(vm);
	return 0;
}
