/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMs whose guests may stop.
 */
#ifndef SELFTESTS_STOP_H
#define SELFTESTS_STOP_H

#include <linux/kvm_hv_ext.h>

#include "interrupt.h"
#include "ipi.h"
#include "vmm.h"

/* The two ways that a VMM may ask for: never native, and native where it can be. */
#define STOP_EMULATED	KVM_PPC_GUEST_STOP_EMULATED
#define STOP_NATIVE	(KVM_PPC_GUEST_STOP_EMULATED | KVM_PPC_GUEST_STOP_NATIVE)

const char *lacks_stop(u64 ways);
int vm_enable_stop(struct vm *vm, u64 ways, u32 flags);
struct vm *vm_create_stop(u64 ways, unsigned int vcpus, enum ipi_by ipis);
long vm_stops_emulated(struct vm *vm);
bool stop_param_is(const char *name, const char *value);
bool kernel_keeps_nmis(void);

/* In the guest: */
u64 guest_try_stop(struct interrupts *mine, u64 unused);

#endif /* SELFTESTS_STOP_H */
