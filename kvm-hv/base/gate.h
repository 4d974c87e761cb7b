/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: how all vCPUs of a VM are taken out of stock KVM's run loop.
 */
#ifndef KVM_HV_EXT_GATE_H
#define KVM_HV_EXT_GATE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct kvm_vcpu;
struct task_struct;

struct hvx_gate {
	spinlock_t lock;		/* the three below, and each entry's kicked */
	struct list_head inside;	/* of struct hvx_gate_entry */
	bool closed;			/* who waits looks without the lock */
	bool dead;			/* nobody enters any more; likewise */
	wait_queue_head_t wait;		/* for "open" */
	wait_queue_head_t empty;	/* for "nobody inside" */
	atomic64_t section;		/* the number of sections that begin, from 1 */
};

/* One vCPU inside, on the stack of the thread that runs it. */
struct hvx_gate_entry {
	struct list_head node;
	struct kvm_vcpu *vcpu;
	struct task_struct *task;
	bool kicked;			/* has a TIF_NOTIFY_SIGNAL of ours */
	s64 section;			/* that it is in, or 0; written by its thread */
};

void hvx_gate_init(struct hvx_gate *gate);
int hvx_gate_enter(struct hvx_gate *gate, struct hvx_gate_entry *entry,
		   struct kvm_vcpu *vcpu);
void hvx_gate_leave(struct hvx_gate *gate, struct hvx_gate_entry *entry);
int hvx_gate_close(struct hvx_gate *gate, unsigned long longest);
void hvx_gate_open(struct hvx_gate *gate);
void hvx_gate_kick(struct hvx_gate *gate);
void hvx_gate_kill(struct hvx_gate *gate);
void hvx_gate_section_wait(struct hvx_gate *gate);

/**
 * hvx_gate_section_begin() - use what others only free after hvx_gate_section_wait()
 * @gate: the gate
 * @entry: of the current thread, inside
 *
 * Sections may sleep, and do not nest. This is what SRCU does, for readers that are
 * inside a gate: there each has a place of its own where it can say so, and it takes a
 * fifth of the instructions. An hcall that is followed up notices the difference.
 *
 * Context: any, inside the gate.
 */
static inline void hvx_gate_section_begin(struct hvx_gate *gate,
					  struct hvx_gate_entry *entry)
{
	WRITE_ONCE(entry->section, atomic64_read(&gate->section));
	/*
	 * First the mark, then what is used. Pairs with the full barriers of
	 * atomic64_inc_return() in hvx_gate_section_wait(): either that sees the mark,
	 * or we see what was done before it.
	 */
	smp_mb();
}

/**
 * hvx_gate_section_end() - the opposite
 * @entry: as given to hvx_gate_section_begin()
 */
static inline void hvx_gate_section_end(struct hvx_gate_entry *entry)
{
	/* What was used, then the mark. Pairs with hvx_gate_section_busy(). */
	smp_store_release(&entry->section, 0);
}

#endif /* KVM_HV_EXT_GATE_H */
