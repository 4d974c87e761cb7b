/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: how all vCPUs of a VM are taken out of stock KVM's run loop.
 */
#ifndef KVM_HV_EXT_GATE_H
#define KVM_HV_EXT_GATE_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

struct kvm_vcpu;
struct task_struct;

struct hvx_gate {
	spinlock_t lock;		/* the three below, and each entry's kicked */
	struct list_head inside;	/* of struct hvx_gate_entry */
	bool closed;
	bool dead;			/* nobody enters any more */
	wait_queue_head_t wait;		/* for "open" and for "nobody inside" */
};

/* One vCPU inside, on the stack of the thread that runs it. */
struct hvx_gate_entry {
	struct list_head node;
	struct kvm_vcpu *vcpu;
	struct task_struct *task;
	bool kicked;			/* has a TIF_NOTIFY_SIGNAL of ours */
};

void hvx_gate_init(struct hvx_gate *gate);
int hvx_gate_enter(struct hvx_gate *gate, struct hvx_gate_entry *entry,
		   struct kvm_vcpu *vcpu);
void hvx_gate_leave(struct hvx_gate *gate, struct hvx_gate_entry *entry);
int hvx_gate_close(struct hvx_gate *gate, unsigned long longest);
void hvx_gate_open(struct hvx_gate *gate);
void hvx_gate_kick(struct hvx_gate *gate);
void hvx_gate_kill(struct hvx_gate *gate);

#endif /* KVM_HV_EXT_GATE_H */
