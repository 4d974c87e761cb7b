// SPDX-License-Identifier: GPL-2.0
/*
 * Whether something is attached to the tracepoint hcall_exit.
 *
 * Between the hcall and its new htab_hash_mask the kernel's COMMIT runs that tracepoint.
 * perf and BPF programs use memory that the new HPT need not have an entry for, and the
 * kernel would place that by the old mask: the guest hangs, or meets a BUG().
 */
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "pseries-hpt.h"

/* Of the kernel's; no module may name it. */
static struct tracepoint *hcall_exit;

static void note_hcall_exit(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "hcall_exit"))
		hcall_exit = tp;
}

/**
 * hpt_traced_init() - look for the tracepoint
 *
 * Context: process context.
 */
void hpt_traced_init(void)
{
	for_each_kernel_tracepoint(note_hcall_exit, NULL);
}

/**
 * hpt_traced() - whether something is attached
 *
 * What is attached last is in the list before the code is patched to call it, and what goes
 * leaves the list after that: so who finds neither in stop_machine(), where nobody patches
 * code, may be sure until that ends.
 *
 * Context: any.
 */
bool hpt_traced(void)
{
	return hcall_exit && (static_key_enabled(&hcall_exit->key) ||
			      rcu_access_pointer(hcall_exit->funcs));
}
