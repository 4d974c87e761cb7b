// SPDX-License-Identifier: GPL-2.0
/* VMs whose guests may stop. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "host.h"
#include "interrupt.h"
#include "stop.h"

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

/**
 * guest_try_stop() - in the guest: one stop, with the decrementer to end it
 * @mine: where what the vCPU takes is written down
 * @unused: so that vcpu_call() can have it called
 *
 * Return: 0.
 */
u64 guest_try_stop(struct interrupts *mine, u64 unused)
{
	guest_begin(mine);
	guest_set_dec(DEC_MS);
	guest_stop();
	guest_set_dec(DEC_FAR);
	return 0;
}

/**
 * vm_stops_emulated() - how many stops of a VM the module has emulated
 * @vm: the VM
 *
 * Return: their number, or -1 if it cannot be seen.
 */
long vm_stops_emulated(struct vm *vm)
{
	FILE *file = fopen(vm_shown_path(vm, "guest_stop"), "r");
	long n = -1;

	if (!file)
		return n;
	if (fscanf(file, "mode %*s %*s %ld", &n) != 1)
		die("%s is not as expected", vm_shown_path(vm, "guest_stop"));
	fclose(file);
	return n;
}

/**
 * stop_param_is() - what kvm-hv-ext was inserted with
 * @name: of a parameter, without "guest_stop_"
 * @value: in words
 *
 * Return: true if it has that value.
 */
bool stop_param_is(const char *name, const char *value)
{
	char path[128], text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path),
		 "/sys/module/kvm_hv_ext/parameters/guest_stop_%s", name);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%15s", text) != 1)
		die("%s is not as expected", path);
	fclose(file);
	return !strcmp(text, value);
}

/**
 * kernel_keeps_nmis() - whether the host's kernel has kvm-hv/patches
 *
 * Return: true if it says that it asks for a guest before it takes a system reset
 * for a wakeup.
 */
bool kernel_keeps_nmis(void)
{
	char line[256];
	bool found = false;
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	if (!file)
		die("/proc/kallsyms: %s", strerror(errno));
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, " kvmppc_nmi_asks_guest_first\n");
	fclose(file);
	return found;
}

static struct interrupts tried;

/**
 * lacks_stop() - why guests cannot stop here
 * @ways: KVM_PPC_GUEST_STOP_* that there should be
 *
 * An emulator may never let a guest's stop get as far as KVM.
 *
 * Return: NULL if they can, otherwise the reason, for a SKIP.
 */
const char *lacks_stop(u64 ways)
{
	struct interrupts *saw;
	const char *why = vmm_lacks(ROAD_IOCTL);
	struct vm *vm;
	u64 can;

	if (why)
		return why;
	vm = vm_create_stop(0, 1, IPI_NONE);
	can = vm_has_ext(vm, KVM_CAP_PPC_GUEST_STOP);
	if (!vm_has_ext(vm, KVM_CAP_PPC_HV_EXT)) {
		why = "kvm-hv-ext is not loaded";
	} else if (!can) {
		why = "this CPU has no stop";
	} else if (ways & ~can) {
		why = "no native guest stop: see guest_stop_native";
	} else {
		vcpu_call(&vm->vcpu[0], guest_try_stop,
			  (unsigned long)&tried, 0);
		saw = vm_guest(vm, tried);
		if (saw->taken[VEC_PROGRAM >> 8] && saw->srr1 & SRR1_PRIVILEGED)
			why = "this emulator keeps a guest's stop from KVM";
	}
	vm_destroy(vm);
	return why;
}
