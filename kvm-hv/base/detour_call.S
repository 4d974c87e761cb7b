/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A call of one of KVM's functions that goes to one of ours. R3 and R4 are the arguments;
 * the probe's handler has put our function into R6 and this address into R7.
 *
 * A probe at a function's entry is one of ftrace's calls, and those leave in different
 * ways. With CONFIG_LIVEPATCH R11 and R12 are used on the way, so none of them can bring
 * anything. With CONFIG_PPC_FTRACE_OUT_OF_LINE they return to here: LR is this address
 * and R0 is where to return to.
 *
 * KVM's function is called from its own module, so the caller relies on R2, the TOC,
 * which is another in our module.
 */
#include <asm/ppc_asm.h>
#include <asm/ptrace.h>

#ifndef CONFIG_PPC64_ELF_ABI_V2
#error "function descriptors: not known here"
#endif

_GLOBAL(hvx_detour_call)
	mflr	r8
	cmpd	r8, r7
	bne	1f
	mr	r8, r0
1:	std	r8, 16(r1)
	stdu	r1, -STACK_FRAME_MIN_SIZE(r1)
	std	r2, STK_GOT(r1)
	mr	r12, r6
	mtctr	r12
	bctrl
	ld	r2, STK_GOT(r1)
	addi	r1, r1, STACK_FRAME_MIN_SIZE
	ld	r0, 16(r1)
	mtlr	r0
	blr
