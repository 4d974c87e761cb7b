/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Detours: plain functions of KVM's of which some calls go to functions of ours.
 */
#ifndef KVM_HV_EXT_DETOUR_H
#define KVM_HV_EXT_DETOUR_H

#include <linux/kprobes.h>
#include <linux/types.h>

/**
 * struct hvx_detour - one function of KVM's, and ours
 * @probe: its symbol_name is the function's; the rest is detour.c's
 * @wants: whether a call, by its first two arguments, goes to @function. A handler of
 *	a probe: it reads, takes no lock and does not sleep.
 * @function: takes the arguments and returns what KVM's function would, in the context
 *	of the caller. It may sleep for a VM of ours only: that holds the module.
 */
struct hvx_detour {
	struct kprobe probe;
	bool (*wants)(unsigned long arg0, unsigned long arg1);
	void *function;
};

int hvx_detour_install(struct hvx_detour *detour, const char *symbol);
void hvx_detour_remove(struct hvx_detour *detour);

/* detour_call.S */
void hvx_detour_call(void);

#endif /* KVM_HV_EXT_DETOUR_H */
