// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN: through the gate into stock KVM, and what is served when it comes
 * back with an hcall that it does not know.
 */
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>

#include "core/ops.h"

/* vCPUs of VMs that are older than the module. */
struct hvx_gate hvx_bystanders;

/* Whether all that made the vCPU come out was the gate's pretended signal. */
static bool hvx_signal_was_ours(void)
{
	/* A task's own sighand stays while it runs. */
	struct sighand_struct *sighand = rcu_dereference_raw(current->sighand);

	spin_lock_irq(&sighand->siglock);
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
	return !signal_pending(current);
}

static bool hvx_stopped_at_hcall(const struct kvm_vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_PAPR_HCALL &&
	       vcpu->arch.hcall_needed;
}

/*
 * Into the gate, with the memory looked at. That may have to be done again since:
 * whoever asks for it kicks those inside afterwards, and a thread that he has missed
 * has taken the gate's lock after him, and sees it on the second look.
 */
static int hvx_run_enter(struct hvx_gate *gate, struct hvx_pass *pass,
			 struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	int ret;

	for (;;) {
		if (vm && unlikely(!hvx_limit_settled(&vm->limit))) {
			ret = hvx_limit_settle(vm, vcpu);
			if (ret)
				return ret;
		}
		ret = hvx_gate_enter(gate, pass, vcpu);
		if (ret) {
			vcpu->run->exit_reason = KVM_EXIT_INTR;
			return ret;
		}
		if (!vm || likely(hvx_limit_settled(&vm->limit)))
			return 0;
		hvx_gate_leave(gate, pass);
	}
}

/* What touches the HPT happens between enter and leave. */
static int hvx_run_inside(struct hvx_gate *gate, struct hvx_vm *vm,
			  struct kvm_vcpu *vcpu)
{
	struct hvx_pass pass;
	int ret;

	ret = hvx_run_enter(gate, &pass, vm, vcpu);
	if (ret)
		return ret;
	do {
		ret = hvx_stock.vcpu_run(vcpu);
	} while (vm && hvx_stopped_at_hcall(vcpu) && hvx_hpt_hcall(vm, vcpu));
	hvx_gate_leave(gate, &pass);
	return ret;
}

static int hvx_run_vm(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	int ret;

	hvx_stop_fix(vm);
	for (;;) {
		ret = hvx_run_inside(&vm->gate, vm, vcpu);

		if (hvx_stopped_at_hcall(vcpu)) {
			if (!hvx_resize_hcall(vm, vcpu) &&
			    !hvx_stop_hcall(vm, vcpu))
				return ret;
		} else if (ret != -EINTR || !hvx_signal_was_ours()) {
			return ret;
		}
		cond_resched();
	}
}

/**
 * hvx_vcpu_run() - run a vCPU until user space is needed
 * @vcpu: the vCPU, loaded
 *
 * Stock KVM refuses a reset, a switch of the MMU mode and a write to an HTAB
 * descriptor while vcpus_running is not 0. It counts a vCPU inside its own
 * vcpu_run(), which serves the HPT hcalls; those that come to us are served after
 * that has returned, so it is counted here as well, all the time. Who has found
 * the count at 0 has cleared mmu_ready before: a vCPU that is counted later waits
 * for him in stock vcpu_run(), before it can have an hcall.
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
		return hvx_run_inside(&hvx_bystanders, NULL, vcpu);

	atomic_inc(&vcpu->kvm->arch.vcpus_running);
	ret = hvx_run_vm(vm, vcpu);
	/* What was done to the HPT comes before. */
	smp_mb__before_atomic();
	atomic_dec(&vcpu->kvm->arch.vcpus_running);
	return ret;
}
