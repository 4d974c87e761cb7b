/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Vectors that write down an interrupt and go back with MSR[EE] off. Each of them
 * fits in the 256 bytes it has, so vm_take_interrupts() copies it by itself.
 */
#include "interrupt.h"

#define MSR_EE_SHIFT	15

	.macro	RECORD vec
	.globl	guest_take_\vec
guest_take_\vec:
	mtsprg	1, %r11
	mtsprg	2, %r12
	mfsprg	%r11, 0
	ld	%r12, INT_TAKEN + ((0x\vec >> 8) * 8)(%r11)
	addi	%r12, %r12, 1
	std	%r12, INT_TAKEN + ((0x\vec >> 8) * 8)(%r11)
	mfsrr0	%r12
	std	%r12, INT_SRR0(%r11)
	mfsrr1	%r12
	std	%r12, INT_SRR1(%r11)
	.endm

	.macro	RETURN
	mfsprg	%r12, 2
	mfsprg	%r11, 1
	rfid
	.balign	4
	.endm

	.macro	IRQ vec
	RECORD	\vec
	li	%r11, 1
	rldicr	%r11, %r11, MSR_EE_SHIFT, 63
	andc	%r12, %r12, %r11
	mtsrr1	%r12
	RETURN
	.globl	guest_take_\vec\()_end
guest_take_\vec\()_end:
	.endm

	.section .rodata
	.balign	8
	IRQ	500
	IRQ	900

	RECORD	700
	ld	%r12, INT_RESUME(%r11)
	cmpdi	%r12, 0
	bne	1f
	mfsrr0	%r12
	addi	%r12, %r12, 4
	mtsrr0	%r12
	RETURN
1:	/* From problem state: go on in the kernel, with its own MSR. */
	mtsrr0	%r12
	ld	%r12, INT_MSR(%r11)
	mtsrr1	%r12
	li	%r12, 0
	std	%r12, INT_RESUME(%r11)
	RETURN
	.globl	guest_take_700_end
guest_take_700_end:

	.text
/*
 * guest_user_call(ea, msr): goes to ea with that MSR, and comes back with the
 * program interrupt that happens there. cr0 is the vector's to change.
 */
	.globl	guest_user_call
guest_user_call:
	mflr	%r0
	std	%r0, 16(%r1)
	bl	1f
1:	mflr	%r5
	addi	%r5, %r5, 2f - 1b
	mfsprg	%r6, 0
	std	%r5, INT_RESUME(%r6)
	mfmsr	%r5
	std	%r5, INT_MSR(%r6)
	mtsrr0	%r3
	mtsrr1	%r4
	rfid
2:	ld	%r0, 16(%r1)
	mtlr	%r0
	blr

	.section .note.GNU-stack,"",@progbits
