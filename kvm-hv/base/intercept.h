/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interception: the hcalls that change or show the HPT, and who has a hand in them.
 */
#ifndef KVM_HV_EXT_INTERCEPT_H
#define KVM_HV_EXT_INTERCEPT_H

#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <asm/kvm_ppc.h>

#include "base/gate.h"

/* The hcalls that can be intercepted: numbers of bits in masks. */
enum hvx_hpt_hcall {
	HVX_HPT_ENTER,
	HVX_HPT_REMOVE,
	HVX_HPT_BULK_REMOVE,
	HVX_HPT_PROTECT,
	HVX_HPT_CLEAR_REF,
	HVX_HPT_CLEAR_MOD,
	HVX_HPT_READ,
	HVX_HPT_PAGE_INIT,	/* of a page; left to hvx_intercept_page_init() */
	HVX_NR_HPT_HCALLS
};

struct hvx_hook;

/**
 * struct hvx_hook_ops - what somebody does about a VM's HPT hcalls
 * @hcalls: which: a mask of BIT(HVX_HPT_*)
 * @refuses: whether the guest gets H_PARAMETER, and the hcall is not served
 * @before: the hcall is about to look at this HPTE. H_ENTER looks at none that the
 *	guest knows, so it is not told of.
 * @after: the hcall may have changed this HPTE
 *
 * Each may be NULL. They are called by the vCPU, in a section of the gate's, with
 * kvm->srcu held for reading, and may sleep, but not for long: who removes a hook waits.
 * @before and @after are called for HPTEs that the table has, by index, and in no radix
 * guest.
 */
struct hvx_hook_ops {
	unsigned long hcalls;
	bool (*refuses)(struct hvx_hook *hook, struct kvm_vcpu *vcpu);
	void (*before)(struct hvx_hook *hook, u64 index);
	void (*after)(struct hvx_hook *hook, enum hvx_hpt_hcall hcall, u64 index);
};

/* One who has a hand in them; part of a structure of his. */
struct hvx_hook {
	const struct hvx_hook_ops *ops;
	struct hlist_node node;		/* unhashed: not in use */
};

struct hvx_intercept {
	struct kvm *kvm;
	struct hvx_gate *gate;	/* its sections are for who reads the hooks */
	spinlock_t lock;	/* protects what follows, and the bits of the hcalls */
	struct hlist_head hooks;	/* of struct hvx_hook */
	unsigned long taken;	/* hcalls that the VMM has on, and that come to us */
	/* Hcalls for which any hook has such a function. */
	unsigned long refuses, before, after;
};

void hvx_intercept_init(struct hvx_intercept *ic, struct kvm *kvm,
			struct hvx_gate *gate);
bool hvx_intercept_hcall(struct hvx_intercept *ic, struct hvx_gate_entry *entry,
			 struct kvm_vcpu *vcpu);
bool hvx_intercept_known(unsigned long number);
void hvx_intercept_enable(struct hvx_intercept *ic, unsigned long number,
			  bool enable);
bool hvx_intercept_page_init(struct hvx_intercept *ic, struct kvm_vcpu *vcpu);

void hvx_hook_add(struct hvx_intercept *ic, struct hvx_hook *hook,
		  const struct hvx_hook_ops *ops);
void hvx_hook_remove(struct hvx_intercept *ic, struct hvx_hook *hook);
void hvx_hook_wait(struct hvx_intercept *ic);

/**
 * hvx_hcall_answer() - an hcall is done: the VMM does not see it
 * @vcpu: the vCPU, that came out with it
 * @ret: what the guest is told, in GPR3
 *
 * Context: any.
 */
static inline void hvx_hcall_answer(struct kvm_vcpu *vcpu, long ret)
{
	kvmppc_set_gpr(vcpu, 3, ret);
	vcpu->arch.hcall_needed = 0;
}

#endif /* KVM_HV_EXT_INTERCEPT_H */
