/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Return probes in a kernel that preempts.
 *
 * They have two ends with the fault that entry_probe.h describes: at the entry, and at the
 * return trampoline, whose probe, one for all return probes of the kernel, is optimised
 * into a jump. There a thread takes another's list of return addresses for its own:
 * "rethook: Return address not found!", and a BUG. Seen on 7.3.4 with PREEMPT and two
 * CPUs.
 *
 * So there is a probe that traps and does nothing at either end, for as long as there is
 * the return probe: then none at the same address is a jump.
 *
 * Where ftrace's code is out of line, which it is from 6.13 on if the compiler has
 * -fpatchable-function-entry, a return probe can be nowhere but at ftrace's call. So the
 * fault is there at the entry, as for each user of ftrace with all registers.
 */
#ifndef RETURN_PROBE_H
#define RETURN_PROBE_H

#include <linux/kconfig.h>
#include <linux/kprobes.h>

#include "entry_probe.h"

/**
 * struct return_probe - a return probe that survives preemption
 * @probe: the kernel's, with kp.symbol_name, handler, entry_handler and maxactive
 * @entry: beside its entry, or no address
 * @trampoline: beside its other end, or no address
 */
struct return_probe {
	struct kretprobe probe;
	struct kprobe entry, trampoline;
};

static inline int return_probe_trap(struct kprobe *kp, const char *symbol,
				    kprobe_opcode_t *addr)
{
	int ret;

	*kp = (struct kprobe) {
		.symbol_name = symbol,
		.addr = addr,
		.post_handler = entry_probe_nothing,
	};
	ret = register_kprobe(kp);
	if (ret)
		kp->addr = NULL;
	return ret;
}

/**
 * return_probe_unregister() - no return probe any more
 * @rp: registered or not
 *
 * Context: may sleep.
 */
static inline void return_probe_unregister(struct return_probe *rp)
{
	if (rp->probe.kp.addr)
		unregister_kretprobe(&rp->probe);
	if (rp->entry.addr)
		unregister_kprobe(&rp->entry);
	if (rp->trampoline.addr)
		unregister_kprobe(&rp->trampoline);
	rp->probe.kp.addr = NULL;
	rp->entry.addr = NULL;
	rp->trampoline.addr = NULL;
}

static inline int return_probe_make_trap(struct return_probe *rp)
{
	/* It is called so since 6.11, and differently before. */
	static const char *const names[] = {
		"arch_rethook_trampoline", "__kretprobe_trampoline",
	};
	int i, ret = 0;

	if (!IS_ENABLED(CONFIG_PREEMPTION))
		return 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		ret = return_probe_trap(&rp->trampoline, names[i], NULL);
		if (!ret)
			break;
	}
	if (ret || IS_ENABLED(CONFIG_PPC_FTRACE_OUT_OF_LINE))
		return ret;
	ret = entry_probe_place(&rp->probe.kp);
	if (ret)
		return ret;
	return return_probe_trap(&rp->entry, NULL, rp->probe.kp.addr);
}

/**
 * return_probe_register() - register a return probe
 * @rp: all of it 0 but for @rp->probe. Once only.
 *
 * Context: may sleep.
 * Return: 0, or the error of the probes.
 */
static inline int return_probe_register(struct return_probe *rp)
{
	int ret = return_probe_make_trap(rp);

	if (!ret)
		ret = register_kretprobe(&rp->probe);
	if (ret) {
		rp->probe.kp.addr = NULL;
		return_probe_unregister(rp);
	}
	return ret;
}

#endif /* RETURN_PROBE_H */
