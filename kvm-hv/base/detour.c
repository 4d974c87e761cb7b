// SPDX-License-Identifier: GPL-2.0
/*
 * Detours: where KVM has neither a table of operations nor another seam, a kprobe
 * stands at the entry of the function.
 *
 * Its handler does nothing but decide. A handler must not sleep nor take a lock, and a
 * return probe has instances that can be used up. So a call that is ours is sent to our
 * function by changing NIP ("Changing Execution Path" in the kernel's kprobes
 * documentation): the function runs as if the caller had called it.
 */
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "base/detour.h"
#include "entry_probe.h"

static int hvx_detour_enter(struct kprobe *probe, struct pt_regs *regs)
{
	struct hvx_detour *detour = container_of(probe, struct hvx_detour, probe);

	if (!detour->wants(regs->gpr[3], regs->gpr[4]))
		return 0;
	regs->gpr[6] = (unsigned long)detour->function;
	regs->gpr[7] = (unsigned long)hvx_detour_call;
	regs_set_return_ip(regs, regs->gpr[7]);
	return 1;
}

/**
 * hvx_detour_install() - send calls our way from now on
 * @detour: with wants and function
 * @symbol: the name of KVM's function
 *
 * Context: may sleep.
 * Return: 0, or the error of the probe: -ENOENT if there is no such function.
 */
int hvx_detour_install(struct hvx_detour *detour, const char *symbol)
{
	detour->probe = (struct kprobe) {
		.symbol_name = symbol,
		.pre_handler = hvx_detour_enter,
		/* So that it is never made a jump, in which NIP could not be changed. */
		.post_handler = entry_probe_nothing,
	};
	return entry_probe_register(&detour->probe);
}

/**
 * hvx_detour_remove() - send none any more
 * @detour: the detour, installed or not
 *
 * A thread may still be on its way into the function or back: it does not sleep there,
 * so an RCU-tasks grace period sees it through.
 *
 * Context: may sleep.
 */
void hvx_detour_remove(struct hvx_detour *detour)
{
	if (detour->probe.addr)
		unregister_kprobe(&detour->probe);
	detour->probe.addr = NULL;
}
