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
 * vm_add_xics() - give a VM the in-kernel interrupt controller
 * @vm: a VM that has not run yet
 *
 * Its vCPUs are servers by their index.
 */
void vm_add_xics(struct vm *vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_XICS };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_IRQ_XICS };
	int ret = vm_ioctl(vm, KVM_CREATE_DEVICE, &dev);
	unsigned int i;

	if (ret)
		die("no XICS: %s", strerror(-ret));
	cap.args[0] = dev.fd;
	for (i = 0; i < vm->nr_vcpus; i++) {
		cap.args[1] = i;
		if (ioctl(vm->vcpu[i].fd, KVM_ENABLE_CAP, &cap))
			die("vCPU %u: no XICS: %s", i, strerror(errno));
	}
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
