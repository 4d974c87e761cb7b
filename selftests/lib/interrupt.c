// SPDX-License-Identifier: GPL-2.0
/* Interrupts that guest code takes on purpose. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/kvm_hv_ext.h>

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

/**
 * vm_enable_stop() - ask for guest stop
 * @vm: the VM
 * @ways: KVM_PPC_GUEST_STOP_*
 * @flags: none are defined
 *
 * Return: 0 or a negative errno.
 */
int vm_enable_stop(struct vm *vm, u64 ways, u32 flags)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_GUEST_STOP,
		.flags = flags,
		.args = { ways },
	};

	return vm_ioctl(vm, KVM_ENABLE_CAP, &cap);
}

/**
 * vm_create_stop() - make a VM whose guest may stop and takes interrupts
 * @ways: KVM_PPC_GUEST_STOP_*, or 0 to leave that as it is by default
 * @vcpus: how many
 * @ipis: by what they send IPIs to each other
 *
 * Return: the VM.
 */
struct vm *vm_create_stop(u64 ways, unsigned int vcpus, enum ipi_by ipis)
{
	struct vm *vm = vm_create(.vcpus = vcpus);
	int ret = ways ? vm_enable_stop(vm, ways, 0) : 0;
	const char *why;

	if (ret)
		die("guest stop %#llx: %s", (long long)ways, strerror(-ret));
	vm_take_interrupts(vm);
	why = vm_add_ipis(vm, ipis);
	if (why)
		die("no IPIs: %s", why);
	return vm;
}
