/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's interrupt vectors, and the two ends of a call into the guest.
 *
 * Copied to guest address 0x100. guest_load() and guest_store() expect that a
 * data storage or data segment interrupt skips the access and sets r10; any
 * other interrupt is a failure that the VMM reports. r11 is theirs too.
 */
#include "guest.h"

#define VECTOR_BASE	0x100
#define AT(addr)	.org (addr) - VECTOR_BASE

	.macro	UNEXPECTED vec
	AT(\vec)
	li	%r4, \vec
	b	unexpected
	.endm

	.macro	SKIP_ACCESS vec
	AT(\vec)
	mfsrr0	%r11
	addi	%r11, %r11, 4
	mtsrr0	%r11
	li	%r10, 1
	rfid
	.endm

	.section .rodata
	.balign	256
	.globl	guest_vectors
guest_vectors:
	UNEXPECTED 0x100
	UNEXPECTED 0x200
	SKIP_ACCESS 0x300
	SKIP_ACCESS 0x380
	UNEXPECTED 0x400
	UNEXPECTED 0x480
	UNEXPECTED 0x500
	UNEXPECTED 0x600
	UNEXPECTED 0x700
	UNEXPECTED 0x800
	UNEXPECTED 0x900
	UNEXPECTED 0xa00
	UNEXPECTED 0xc00
	UNEXPECTED 0xd00
	UNEXPECTED 0xf00
	UNEXPECTED 0xf20
	UNEXPECTED 0xf40
	UNEXPECTED 0xf60
	AT(0x1000)
unexpected:
	mfsrr0	%r5
	mfsrr1	%r6
	mfdar	%r7
	mfdsisr	%r8
	li	%r3, 0
	ori	%r3, %r3, UCALL_TRAP
	sc	1
	b	.
	.globl	guest_vectors_end
guest_vectors_end:

	.text
/* Where a called function returns to: its value goes to the VMM. */
	.globl	guest_return
guest_return:
	mr	%r4, %r3
	li	%r3, 0
	ori	%r3, %r3, UCALL_DONE
	sc	1
	b	guest_return

/*
 * The VMM's own hcalls: enter with GPR3..12 loaded, and find the status in
 * r12 (no HPT hcall answers there), the outputs in r4..r11. Going round the
 * loop makes every further hcall cost one KVM_RUN.
 */
	.globl	guest_hcall_stub
guest_hcall_stub:
	sc	1
	mr	%r12, %r3
	li	%r3, 0
	ori	%r3, %r3, UCALL_STUB
	sc	1
	b	guest_hcall_stub

	.section .note.GNU-stack,"",@progbits
