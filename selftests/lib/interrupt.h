/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts that guest code takes on purpose.
 *
 * vm_take_interrupts() replaces the vectors for the interrupts below by ones that
 * write down what came and go back with MSR[EE] off, so that the guest code can
 * look, and see to the cause, in its own time. A program interrupt goes on behind
 * the instruction and changes cr0; one from problem state ends guest_user_call().
 */
#ifndef SELFTESTS_INTERRUPT_H
#define SELFTESTS_INTERRUPT_H

#define VEC_EXTERNAL	0x500
#define VEC_PROGRAM	0x700
#define VEC_DECREMENTER	0x900

/* SRR1 of a program interrupt: why. */
#define SRR1_ILLEGAL	0x80000
#define SRR1_PRIVILEGED	0x40000

#define INT_TAKEN	0	/* offsets in struct interrupts */
#define INT_SRR0	128
#define INT_SRR1	136
#define INT_RESUME	144
#define INT_MSR		152

/* The hcall that idles. */
#define H_CEDE		0xe0

#ifndef __ASSEMBLER__

#include "vmm.h"

/* What a vCPU took. It belongs to one vCPU, which has its address in SPRG0. */
struct interrupts {
	u64 taken[16];		/* by vector / 0x100 */
	u64 srr0, srr1;		/* of the last one */
	u64 resume, msr;	/* where problem state code ends, or 0 */
};

/* interrupt.S: what is put at each vector */
extern const char guest_take_500[], guest_take_500_end[];
extern const char guest_take_700[], guest_take_700_end[];
extern const char guest_take_900[], guest_take_900_end[];

void vm_take_interrupts(struct vm *vm);

/* In the guest: */

u64 guest_user_call(u64 ea, u64 msr);

static inline void guest_interrupts(struct interrupts *ints)
{
	asm volatile("mtsprg0 %0" : : "r" (ints) : "memory");
}

static inline u64 guest_taken(struct interrupts *ints, unsigned int vec)
{
	return ((volatile u64 *)ints->taken)[vec >> 8];
}

/* Only MSR[EE], so an interrupt that waits is taken before the next instruction. */
static inline void guest_irq_on(void)
{
	asm volatile("mtmsrd %0,1" : : "r" (0x8002ul) : "memory");
}

static inline void guest_irq_off(void)
{
	asm volatile("mtmsrd %0,1" : : "r" (0x2ul) : "memory");
}

/* ISA v3.0B: until the next interrupt, whether MSR[EE] lets it be taken or not. */
static inline void guest_stop(void)
{
	asm volatile(".long 0x4c0002e4" : : : "memory", "cr0");
}

static inline void guest_set_dec(u64 ticks)
{
	asm volatile("mtspr 22,%0" : : "r" (ticks) : "memory");
}

/* In ticks: 4 s, the most there is, and 1 ms. */
#define DEC_FAR		0x7ffffffful
#define DEC_MS		512000ul

/* For a vCPU to begin with: its record, MSR[EE] off, no decrementer in sight. */
static inline struct interrupts *guest_begin(struct interrupts *mine)
{
	guest_interrupts(mine);
	guest_irq_off();
	guest_set_dec(DEC_FAR);
	return mine;
}

static inline long guest_dec(void)
{
	long dec;

	asm volatile("mfspr %0,22" : "=r" (dec) : : "memory");
	return (int32_t)dec;
}

#endif /* __ASSEMBLER__ */
#endif /* SELFTESTS_INTERRUPT_H */
