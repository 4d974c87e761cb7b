// SPDX-License-Identifier: GPL-2.0
/* Interrupts that guest code takes on purpose. */
#include <string.h>

#include "host.h"
#include "interrupt.h"

static void take(struct vm *vm, unsigned long vec, const char *code,
		 const char *end)
{
	memcpy(vm_host(vm, vec), code, end - code);
}

/**
 * vm_take_interrupts() - have interrupts recorded instead of ending the test
 * @vm: a VM that has not run yet
 *
 * Each vCPU has to call guest_begin() before it can take one.
 */
void vm_take_interrupts(struct vm *vm)
{
	take(vm, VEC_EXTERNAL, guest_take_500, guest_take_500_end);
	take(vm, VEC_PROGRAM, guest_take_700, guest_take_700_end);
	take(vm, VEC_DECREMENTER, guest_take_900, guest_take_900_end);
}
