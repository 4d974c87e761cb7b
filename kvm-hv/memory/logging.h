/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hcalls that note a page in the dirty log, where stock KVM cannot do it.
 */
#ifndef KVM_HV_EXT_LOGGING_H
#define KVM_HV_EXT_LOGGING_H

#include <linux/kvm_host.h>

#include "base/base.h"

struct hvx_vm;

struct hvx_logging {
	struct hvx_hook hook;
	unsigned int slots;	/* memslots that log; kvm->slots_lock */
};

bool hvx_logging_prepare(struct hvx_vm *vm, const struct kvm_memory_slot *slot);
void hvx_logging_abort(struct hvx_vm *vm);
void hvx_logging_commit(struct hvx_vm *vm, const struct kvm_memory_slot *old,
			const struct kvm_memory_slot *slot);
bool hvx_logging_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu);

#endif /* KVM_HV_EXT_LOGGING_H */
