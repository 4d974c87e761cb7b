// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN: through the gate into stock KVM, and what is served when it comes
 * back with an hcall that it does not know.
 */
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>

#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

/* One gate for the foreign VMs, that are older than the module; closed once, for good. */
struct hvx_gate hvx_foreign_gate;

static bool hvx_stopped_at_hcall(const struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_PAPR_HCALL &&
	       vcpu->arch.hcall_needed;
}

/*
 * Go in, with the memory checked. A recheck may be asked for at any time.
 * hvx_limit_recheck() asks first and kicks those inside then. A thread that it has not
 * kicked takes the gate's lock later, so it finds the limit unsettled in the second
 * test here.
 */
static int hvx_run_enter(struct hvx_gate *gate, struct hvx_gate_entry *entry,
			 struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	int ret;

	for (;;) {
		if (vm && unlikely(!hvx_limit_settled(&vm->memory->limit))) {
			ret = hvx_limit_settle(vm, vcpu);
			if (ret)
				return ret;
		}
		ret = hvx_gate_enter(gate, entry, vcpu);
		if (ret) {
			vcpu->run->exit_reason = KVM_EXIT_INTR;
			return ret;
		}
		if (!vm || likely(hvx_limit_settled(&vm->memory->limit)))
			return 0;
		hvx_gate_leave(gate, entry);
	}
}

/* What touches the HPT happens between enter and leave. */
static int hvx_run_inside(struct hvx_gate *gate, struct hvx_vm *vm,
			  struct kvm_vcpu *vcpu)
{
	struct hvx_registers registers;
	struct hvx_hash hash;
	struct hvx_gate_entry entry;
	int ret;

	ret = hvx_run_enter(gate, &entry, vm, vcpu);
	if (ret)
		return ret;
	hvx_registers_put_away(&registers);
	if (vm)
		hvx_hash_enter(&hash, vcpu);
	do {
		ret = hvx_stock.vcpu_run(vcpu);
	} while (vm && hvx_stopped_at_hcall(vcpu) &&
		 hvx_intercept_hcall(&vm->intercept, &entry, vcpu));
	if (vm)
		hvx_hash_leave(&hash, vcpu);
	hvx_registers_give_back(&registers);
	hvx_gate_leave(gate, &entry);
	return ret;
}

static int hvx_run_vm(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	int ret;

	hvx_stop_seal(vm);
	for (;;) {
		ret = hvx_run_inside(&vm->gate, vm, vcpu);

		if (hvx_stopped_at_hcall(vcpu)) {
			if (!hvx_resize_hcall(vm, vcpu) &&
			    !hvx_stop_hcall(vm, vcpu) &&
			    !hvx_logging_hcall(vm, vcpu))
				return ret;
		} else if (ret != -EINTR || signal_pending(current)) {
			return ret;
		}
		/* A kick, or an hcall that has been served. */
		cond_resched();
	}
}

/**
 * hvx_vcpu_run() - run a vCPU until user space is needed
 * @vcpu: the vCPU, loaded
 *
 * Stock KVM refuses a reset, a switch of the MMU mode and a write to an HTAB
 * descriptor while vcpus_running is not 0. Stock vcpu_run() counts its vCPU, and it
 * serves the HPT hcalls. The module serves an hcall after stock vcpu_run() has
 * returned, so this counts the vCPU as well, from here to the end. Whoever finds the
 * count at 0 has cleared mmu_ready before. A vCPU that is counted later waits for
 * mmu_ready in stock vcpu_run(), before it can make an hcall.
 *
 * Context: may sleep.
 * Return: as stock vcpu_run().
 */
int hvx_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct hvx_vm *vm = hvx_vm_find(vcpu->kvm);
	int ret;

	/* The module may be on its way out: nothing of ours after this. */
	if (!vm)
		return hvx_run_inside(&hvx_foreign_gate, NULL, vcpu);

	atomic_inc(&vcpu->kvm->arch.vcpus_running);
	ret = hvx_run_vm(vm, vcpu);
	/* What was done to the HPT comes before. */
	smp_mb__before_atomic();
	atomic_dec(&vcpu->kvm->arch.vcpus_running);
	return ret;
}
