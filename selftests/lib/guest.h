/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guest code may use.
 *
 * A test program is linked at GUEST_IMAGE, and vm_create() copies the running
 * program, as it is at that moment, to the same address of guest memory. So
 * any function of the test can run in the guest, in real mode through the
 * VRMA, and sees its own copy of the program's globals. System calls and
 * thread-local storage (errno, malloc, printf) are out of its reach.
 */
#ifndef SELFTESTS_GUEST_H
#define SELFTESTS_GUEST_H

/* Hcalls nobody serves, by which guest code talks to the library. */
#define UCALL_DONE	0xf0f0	/* function returned: r4 its value */
#define UCALL_STUB	0xf0f4	/* an hcall of the VMM's returned: r12 status */
#define UCALL_TRAP	0xf0f8	/* interrupt nobody expects: r4 its vector */
#define UCALL_FAIL	0xf0fc	/* guest_fail(): r4 line, r5, r6 for a look */

#ifndef __ASSEMBLER__

#include "types.h"

long guest_hcall(unsigned long nr, u64 regs[9]);
long guest_hcall4(unsigned long nr, u64 a, u64 b, u64 c,
		  u64 d);
u64 guest_sum(u64 a, u64 b);
void guest_fail(u64 line, u64 seen, u64 expected);
bool guest_load(u64 ea, u64 *val);
bool guest_load16(u64 ea, u16 *val);
bool guest_store(u64 ea, u64 val);
bool guest_store8(u64 ea, u8 val);

#define GUEST_ASSERT_EQ(_exp, _seen) do {				\
	u64 __e = (_exp), __s = (_seen);				\
	if (__e != __s)							\
		guest_fail(__LINE__, __s, __e);				\
} while (0)

/**
 * guest_random() - a small generator of numbers, for either side
 * @state: any seed but 0; the caller's own, so that a run can be repeated
 *
 * Marsaglia's xorshift64 with a multiplication at the end.
 */
static inline u64 guest_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline u64 guest_timebase(void)
{
#ifdef __powerpc64__
	return __builtin_ppc_get_timebase();
#else
	return 0;
#endif
}

/*
 * Waiting in a loop: leave the CPU to the other threads. On an emulator whose CPUs
 * take turns this one's turn ends here.
 */
static inline void guest_relax(void)
{
#ifdef __powerpc64__
	asm volatile("or 31,31,31\n"	/* very low priority */
		     "or 2,2,2"		/* medium */
		     : : : "memory");
#endif
}

extern char guest_vectors[], guest_vectors_end[];
extern char guest_hcall_stub[], guest_return[];

#endif /* __ASSEMBLER__ */
#endif /* SELFTESTS_GUEST_H */
