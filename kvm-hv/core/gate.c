// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: how all vCPUs of a VM are taken out of stock KVM's run loop.
 *
 * Clearing kvm->arch.mmu_ready keeps vCPUs from entering the guest, but not
 * from touching the HPT: a thread that has just left the guest still looks up
 * the faulting HPTE (under preempt_disable() only), serves hcalls, and resolves
 * page faults by an index into the table that was current then. Nothing in
 * stock KVM tells when the last of them is done.
 *
 * So whoever replaces the table has the threads leave vcpu_run() altogether.
 * They are made to think that a signal is pending, the way the freezer does it,
 * and come back to our wrapper as they do for any signal, on every processor
 * generation: stock code returns only after all threads of a POWER8 virtual core
 * are out of the guest and real mode is behind them. The wrapper drops the
 * pretended signal, waits at the gate, and runs the vCPU again; user space does
 * not notice.
 *
 * A thread that waits in a page fault of the host's (swap, userfaultfd) does not
 * come out until it has its page, and that can take minutes. The others are not to
 * stand still for its sake. So closing is an attempt of some milliseconds, and who
 * wants the gate closed tries again later, with the vCPUs running in between.
 */
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>

#include "core/compat.h"
#include "core/gate.h"

/* How long an attempt waits for vCPUs that sleep. */
#define HVX_GATE_ATTEMPT	msecs_to_jiffies(10)
#define HVX_GATE_KICK_PERIOD	msecs_to_jiffies(4)

/**
 * hvx_gate_init() - make a gate, open and with nobody inside
 * @gate: the gate
 */
void hvx_gate_init(struct hvx_gate *gate)
{
	spin_lock_init(&gate->lock);
	INIT_LIST_HEAD(&gate->inside);
	gate->closed = false;
	gate->dead = false;
	init_waitqueue_head(&gate->wait);
}

/**
 * hvx_gate_enter() - go in, before stock KVM may run the vCPU
 * @gate: the gate
 * @pass: on the caller's stack, until hvx_gate_leave()
 * @vcpu: the vCPU that the current thread runs
 *
 * Context: may sleep, for as long as the gate is closed.
 * Return: 0, or -EINTR for a signal or a gate that is dead.
 */
int hvx_gate_enter(struct hvx_gate *gate, struct hvx_pass *pass,
		   struct kvm_vcpu *vcpu)
{
	pass->vcpu = vcpu;
	pass->task = current;

	for (;;) {
		spin_lock(&gate->lock);
		if (gate->dead) {
			spin_unlock(&gate->lock);
			return -EINTR;
		}
		if (!gate->closed) {
			list_add(&pass->node, &gate->inside);
			spin_unlock(&gate->lock);
			return 0;
		}
		spin_unlock(&gate->lock);

		if (wait_event_interruptible(gate->wait,
					     !READ_ONCE(gate->closed) ||
					     READ_ONCE(gate->dead)))
			return -EINTR;
	}
}

/**
 * hvx_gate_leave() - go out, after stock KVM has returned
 * @gate: the gate
 * @pass: as given to hvx_gate_enter()
 *
 * What the thread did inside happens before what the closer does after
 * hvx_gate_close(): both take the lock.
 */
void hvx_gate_leave(struct hvx_gate *gate, struct hvx_pass *pass)
{
	bool wake;

	spin_lock(&gate->lock);
	list_del(&pass->node);
	wake = gate->closed && list_empty(&gate->inside);
	spin_unlock(&gate->lock);
	if (wake)
		wake_up_all(&gate->wait);
}

/**
 * hvx_gate_kick() - have everybody who is inside come out once
 * @gate: the gate, open or closed
 *
 * The flag comes first: a thread that is on its way in sees it before it enters
 * the guest, for stock KVM looks for signals between its last wait and the entry.
 * Then whatever it may be doing instead: running the guest, or host code, on some
 * CPU; sleeping in H_CEDE; on POWER8 waiting for the thread that runs its virtual
 * core.
 *
 * siglock is not held, so a recalc_sigpending() of the thread itself may lose
 * the flag. That only happens outside vcpu_run(); and who closes the gate kicks
 * again.
 *
 * Context: any that may take a spin lock. Nobody is waited for.
 */
void hvx_gate_kick(struct hvx_gate *gate)
{
	struct hvx_pass *pass;

	spin_lock(&gate->lock);
	list_for_each_entry(pass, &gate->inside, node) {
		set_tsk_thread_flag(pass->task, TIF_SIGPENDING);
		/* Pairs with the barriers in wake-up and in guest entry. */
		smp_mb__after_atomic();
		hvx_vcpu_wake_up(pass->vcpu);
		wake_up(&pass->vcpu->arch.cpu_run);
		kick_process(pass->task);
	}
	spin_unlock(&gate->lock);
}

static bool hvx_gate_empty(struct hvx_gate *gate)
{
	bool empty;

	spin_lock(&gate->lock);
	empty = list_empty(&gate->inside);
	spin_unlock(&gate->lock);
	return empty;
}

/* Whether one of those inside only needs a CPU to come out. */
static bool hvx_gate_runnable(struct hvx_gate *gate)
{
	struct hvx_pass *pass;
	bool runnable = false;

	spin_lock(&gate->lock);
	list_for_each_entry(pass, &gate->inside, node)
		runnable |= task_is_running(pass->task);
	spin_unlock(&gate->lock);
	return runnable;
}

/**
 * hvx_gate_close() - try to take every vCPU out, and keep it out
 * @gate: the gate, open
 * @longest: how long to wait for vCPUs that can run, in jiffies
 *
 * For vCPUs that can run the host only has to find a CPU, which on a busy one takes its
 * time, and would take it again at the next attempt. But a thread that waits for a page
 * by userfaultfd with its own code on the stack, not in the fault handler of the guest's,
 * can also run: it asks again and again for as long as it has the pretended signal.
 *
 * There may be one closer at a time; the caller holds the lock that sees to it.
 *
 * Context: may sleep, for HVX_GATE_ATTEMPT or @longest. The caller is not inside, and
 * holds no lock that a vCPU could wait for inside (kvm->arch.mmu_setup_lock is one
 * that it could).
 * Return: 0 with the gate closed, -EINTR for a fatal signal or -EAGAIN if a vCPU
 * did not come out, with the gate open again.
 */
int hvx_gate_close(struct hvx_gate *gate, unsigned long longest)
{
	unsigned long attempt = jiffies + HVX_GATE_ATTEMPT;
	unsigned long end = jiffies + longest;
	long left;

	spin_lock(&gate->lock);
	WARN_ON_ONCE(gate->closed);
	gate->closed = true;
	spin_unlock(&gate->lock);

	do {
		hvx_gate_kick(gate);
		left = wait_event_killable_timeout(gate->wait,
						   hvx_gate_empty(gate),
						   HVX_GATE_KICK_PERIOD);
	} while (!left &&
		 (time_before(jiffies, attempt) ||
		  (time_before(jiffies, end) && hvx_gate_runnable(gate))));

	if (left > 0)
		return 0;
	hvx_gate_open(gate);
	return left < 0 ? -EINTR : -EAGAIN;
}

/**
 * hvx_gate_open() - let the vCPUs run again
 * @gate: the gate
 */
void hvx_gate_open(struct hvx_gate *gate)
{
	spin_lock(&gate->lock);
	gate->closed = false;
	spin_unlock(&gate->lock);
	wake_up_all(&gate->wait);
}

/**
 * hvx_gate_kill() - take everybody out for good
 * @gate: the gate
 *
 * Threads come out with -EINTR and hvx_gate_enter() fails from now on.
 *
 * Context: may sleep, until the last is out.
 */
void hvx_gate_kill(struct hvx_gate *gate)
{
	spin_lock(&gate->lock);
	gate->closed = true;
	gate->dead = true;
	spin_unlock(&gate->lock);
	wake_up_all(&gate->wait);

	do {
		hvx_gate_kick(gate);
	} while (!wait_event_timeout(gate->wait, hvx_gate_empty(gate),
				     HVX_GATE_KICK_PERIOD));
}
