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
 * TIF_NOTIFY_SIGNAL is set for them, by which io_uring and livepatch too call a
 * thread out of the kernel. signal_pending() is true then, so they come back to our
 * wrapper as they do for any signal, on every processor generation: stock code
 * returns only after all threads of a POWER8 virtual core are out of the guest and
 * real mode is behind them. The wrapper clears the flag, waits at the gate, and runs
 * the vCPU again; user space does not notice.
 *
 * TIF_SIGPENDING would not do: it belongs to siglock, and recalc_sigpending() clears
 * it for who sets it without. TIF_NOTIFY_SIGNAL is cleared by its own thread only,
 * here or on the way to user space.
 *
 * A thread that waits in a page fault of the host's (swap, userfaultfd) does not
 * come out until it has its page, and that can take minutes. The others are not to
 * stand still for its sake. So closing is an attempt of some milliseconds, and who
 * wants the gate closed tries again later, with the vCPUs running in between.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kvm_host.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "base/compat.h"
#include "base/gate.h"

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
	init_waitqueue_head(&gate->empty);
	atomic64_set(&gate->section, 1);
}

/**
 * hvx_gate_enter() - go in, before stock KVM may run the vCPU
 * @gate: the gate
 * @entry: on the caller's stack, until hvx_gate_leave()
 * @vcpu: the vCPU that the current thread runs
 *
 * Context: may sleep, for as long as the gate is closed.
 * Return: 0, or -EINTR for a signal or a gate that is dead.
 */
int hvx_gate_enter(struct hvx_gate *gate, struct hvx_gate_entry *entry,
		   struct kvm_vcpu *vcpu)
{
	entry->vcpu = vcpu;
	entry->task = current;
	entry->kicked = false;
	entry->section = 0;

	for (;;) {
		spin_lock(&gate->lock);
		if (gate->dead) {
			spin_unlock(&gate->lock);
			return -EINTR;
		}
		if (!gate->closed) {
			list_add(&entry->node, &gate->inside);
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

/*
 * Clear the flag of a kick. It may stand for others' work, too, that came after the
 * kick and is done on the way to user space: then it stays. task_works does not say
 * how a work was added, so one that has time sends the vCPU to user space as well,
 * with -EINTR, as a signal would.
 */
static void hvx_gate_clear_kick(void)
{
	/* Ends with the barrier of task_work_add(): a work, then the flag. */
	clear_notify_signal();
	if (task_work_pending(current) || test_thread_flag(TIF_PATCH_PENDING))
		set_thread_flag(TIF_NOTIFY_SIGNAL);
}

/**
 * hvx_gate_leave() - go out, after stock KVM has returned
 * @gate: the gate
 * @entry: as given to hvx_gate_enter()
 *
 * What the thread did inside happens before what the closer does after
 * hvx_gate_close(): both take the lock. Afterwards signal_pending() tells of signals
 * and of others' work, and not of the gate.
 */
void hvx_gate_leave(struct hvx_gate *gate, struct hvx_gate_entry *entry)
{
	bool wake;

	spin_lock(&gate->lock);
	list_del(&entry->node);
	wake = gate->closed && list_empty(&gate->inside);
	spin_unlock(&gate->lock);
	/* The closer only: for those who wait to go in, nothing has changed. */
	if (wake)
		wake_up_all(&gate->empty);
	/* Off the list there are no more kicks. */
	if (entry->kicked)
		hvx_gate_clear_kick();
}

/**
 * hvx_gate_kick() - have everybody who is inside come out once
 * @gate: the gate, open or closed
 *
 * The flag comes first: a thread that is on its way in sees it before it enters
 * the guest, for stock KVM looks for signals between its last wait and the entry.
 * Then whatever it may be doing instead: running the guest, or host code, on some
 * CPU; sleeping in H_CEDE; on POWER8 waiting for the thread that runs its virtual
 * core. set_notify_signal() would do that, but is not for modules.
 *
 * If another has set the flag before, that kick is his, and so is its end: the vCPU
 * goes to user space.
 *
 * Context: any that may take a spin lock. Nobody is waited for.
 */
void hvx_gate_kick(struct hvx_gate *gate)
{
	struct hvx_gate_entry *entry;

	spin_lock(&gate->lock);
	list_for_each_entry(entry, &gate->inside, node) {
		/* A full barrier, for the barriers in wake-up and in guest entry. */
		if (!test_and_set_tsk_thread_flag(entry->task, TIF_NOTIFY_SIGNAL))
			entry->kicked = true;
		hvx_vcpu_wake_up(entry->vcpu);
		wake_up(&entry->vcpu->arch.cpu_run);
		kick_process(entry->task);
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
	struct hvx_gate_entry *entry;
	bool runnable = false;

	spin_lock(&gate->lock);
	list_for_each_entry(entry, &gate->inside, node)
		runnable |= task_is_running(entry->task);
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
 * can also run: it asks again and again for as long as it has been kicked.
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
	WRITE_ONCE(gate->closed, true);
	spin_unlock(&gate->lock);

	do {
		hvx_gate_kick(gate);
		left = wait_event_killable_timeout(gate->empty,
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
	WRITE_ONCE(gate->closed, false);
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
	WRITE_ONCE(gate->closed, true);
	WRITE_ONCE(gate->dead, true);
	spin_unlock(&gate->lock);
	wake_up_all(&gate->wait);

	do {
		hvx_gate_kick(gate);
	} while (!wait_event_timeout(gate->empty, hvx_gate_empty(gate),
				     HVX_GATE_KICK_PERIOD));
}

/* Whether one of those inside is in a section that began before a number was given out. */
static bool hvx_gate_section_busy(struct hvx_gate *gate, s64 number)
{
	struct hvx_gate_entry *entry;
	bool busy = false;
	s64 section;

	spin_lock(&gate->lock);
	list_for_each_entry(entry, &gate->inside, node) {
		/* Pairs with hvx_gate_section_end(). */
		section = smp_load_acquire(&entry->section);
		busy |= section && section < number;
	}
	spin_unlock(&gate->lock);
	return busy;
}

/**
 * hvx_gate_section_wait() - wait until all sections have ended that are under way
 * @gate: the gate, open or closed
 *
 * Those that begin meanwhile have a higher number: they see what was done before this,
 * and are not waited for. So a vCPU that goes from one into the next is no trouble.
 *
 * Context: may sleep; the caller is in no section.
 */
void hvx_gate_section_wait(struct hvx_gate *gate)
{
	s64 number = atomic64_inc_return(&gate->section);

	while (hvx_gate_section_busy(gate, number))
		usleep_range(20, 200);
}
