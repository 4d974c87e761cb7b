// SPDX-License-Identifier: GPL-2.0
/* The code that runs in the guest: hcalls, and loads that may fault. */
#include "guest.h"

#define MSR_DR	0x10ul

/**
 * guest_hcall() - an hcall with all its registers
 * @nr: the hcall
 * @regs: r4..r12 going in, and coming out
 *
 * Return: the status.
 */
long guest_hcall(unsigned long nr, u64 regs[9])
{
	register u64 r3 asm("r3") = nr;
	register u64 r4 asm("r4") = regs[0];
	register u64 r5 asm("r5") = regs[1];
	register u64 r6 asm("r6") = regs[2];
	register u64 r7 asm("r7") = regs[3];
	register u64 r8 asm("r8") = regs[4];
	register u64 r9 asm("r9") = regs[5];
	register u64 r10 asm("r10") = regs[6];
	register u64 r11 asm("r11") = regs[7];
	register u64 r12 asm("r12") = regs[8];

	asm volatile("sc 1"
		     : "+r" (r3), "+r" (r4), "+r" (r5), "+r" (r6), "+r" (r7),
		       "+r" (r8), "+r" (r9), "+r" (r10), "+r" (r11), "+r" (r12)
		     : : "r0", "ctr", "xer", "cr0", "cr1", "cr5", "cr6", "cr7",
		       "memory");
	regs[0] = r4;
	regs[1] = r5;
	regs[2] = r6;
	regs[3] = r7;
	regs[4] = r8;
	regs[5] = r9;
	regs[6] = r10;
	regs[7] = r11;
	regs[8] = r12;
	return r3;
}

/**
 * guest_hcall4() - an hcall of which only the status matters
 * @nr: the hcall
 * @a: r4
 * @b: r5
 * @c: r6
 * @d: r7
 *
 * Return: the status.
 */
long guest_hcall4(unsigned long nr, u64 a, u64 b, u64 c,
		  u64 d)
{
	u64 regs[9] = { a, b, c, d };

	return guest_hcall(nr, regs);
}

/**
 * guest_sum() - something that only the guest can have computed
 * @a: a number
 * @b: another
 *
 * Return: their sum.
 */
u64 guest_sum(u64 a, u64 b)
{
	return a + b;
}

/**
 * guest_fail() - end the test from inside the guest
 * @line: where
 * @seen: what came
 * @expected: what should have
 */
void guest_fail(u64 line, u64 seen, u64 expected)
{
	for (;;)
		guest_hcall4(UCALL_FAIL, line, seen, expected, 0);
}

/* An access with data translation on; code is still fetched in real mode. */
#define MAPPED(access)			\
	"mfmsr %[msr]\n"		\
	"ori %[msr],%[msr],%[dr]\n"	\
	"mtmsrd %[msr]\n"		\
	"isync\n"			\
	access "\n"			\
	"xori %[msr],%[msr],%[dr]\n"	\
	"mtmsrd %[msr]\n"		\
	"isync"

#define MAPPED_LOAD(insn, ea, val) ({					\
	register u64 __fault asm("r10") = 0;				\
	u64 __loaded = 0, __msr;					\
	asm volatile(MAPPED(insn " %[val],0(%[at])")			\
		     : [val] "+&b" (__loaded), [msr] "=&b" (__msr),	\
		       "+r" (__fault)					\
		     : [at] "b" (ea), [dr] "i" (MSR_DR)			\
		     : "r11", "memory");				\
	if (!__fault)							\
		*(val) = __loaded;					\
	!__fault;							\
})

#define MAPPED_STORE(insn, ea, stored) ({				\
	register u64 __fault asm("r10") = 0;				\
	u64 __msr;							\
	asm volatile(MAPPED(insn " %[val],0(%[at])")			\
		     : [msr] "=&b" (__msr), "+r" (__fault)		\
		     : [at] "b" (ea), [val] "b" ((u64)(stored)),	\
		       [dr] "i" (MSR_DR)				\
		     : "r11", "memory");				\
	!__fault;							\
})

/**
 * guest_load() - load a doubleword with data translation on
 * @ea: effective address
 * @val: what was there, untouched if there was no translation
 *
 * Only the data needs an SLB entry and an HPTE.
 *
 * Return: whether the address was mapped.
 */
bool guest_load(u64 ea, u64 *val)
{
	return MAPPED_LOAD("ld", ea, val);
}

/**
 * guest_load16() - load a halfword with data translation on
 * @ea: effective address
 * @val: what was there, untouched if there was no translation
 *
 * Return: whether the address was mapped.
 */
bool guest_load16(u64 ea, u16 *val)
{
	return MAPPED_LOAD("lhz", ea, val);
}

/**
 * guest_store() - store a doubleword with data translation on
 * @ea: effective address
 * @val: what to put there
 *
 * Return: whether the address was mapped and writable.
 */
bool guest_store(u64 ea, u64 val)
{
	return MAPPED_STORE("std", ea, val);
}

/**
 * guest_store8() - store a byte with data translation on
 * @ea: effective address
 * @val: what to put there
 *
 * Return: whether the address was mapped and writable.
 */
bool guest_store8(u64 ea, u8 val)
{
	return MAPPED_STORE("stb", ea, val);
}
