/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Return probes in a kernel that preempts.
 *
 * The probe at the return trampoline, one for all return probes of the kernel, is
 * optimised into a jump. The code that it jumps to (optprobes_head.S) saves all
 * registers, calls the handlers, and then puts all back, r13 included. The handlers end
 * with preempt_enable(): a thread that is preempted there and continues on another CPU
 * then has the r13, so the PACA and the "current", of the CPU that it came from. It takes
 * another thread's list of return addresses for its own: "rethook: Return address not
 * found!", and a BUG; or worse. Seen on 7.3.4 with PREEMPT and two CPUs.
 *
 * A probe that has a post_handler is not optimised, nor is any at the same address; it
 * traps, and the end of an interrupt leaves r13 alone. So there is one that does nothing,
 * for as long as a module has return probes. Those at the entry of functions are made of
 * ftrace's calls, where there is CONFIG_FUNCTION_TRACER, and never are jumps.
 */
#ifndef RETURN_PROBE_H
#define RETURN_PROBE_H

#include <linux/kconfig.h>
#include <linux/kprobes.h>

static void return_probe_nothing(struct kprobe *kp, struct pt_regs *regs,
				 unsigned long flags)
{
}

static struct kprobe return_probe_trap;

/**
 * return_probe_begin() - before a module sets return probes
 *
 * Context: may sleep.
 * Return: 0, or the error of the probe, with which return probes are not safe.
 */
static int return_probe_begin(void)
{
	/* The trampoline is called so since 6.11, and differently before. */
	static const char *const names[] = {
		"arch_rethook_trampoline", "__kretprobe_trampoline",
	};
	int i, ret = 0;

	if (!IS_ENABLED(CONFIG_PREEMPTION) || !IS_ENABLED(CONFIG_OPTPROBES))
		return 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		return_probe_trap = (struct kprobe) {
			.symbol_name = names[i],
			.post_handler = return_probe_nothing,
		};
		ret = register_kprobe(&return_probe_trap);
		if (!ret)
			return 0;
	}
	return_probe_trap.addr = NULL;
	return ret;
}

/**
 * return_probe_end() - when they are gone
 *
 * Context: may sleep.
 */
static void return_probe_end(void)
{
	if (return_probe_trap.addr)
		unregister_kprobe(&return_probe_trap);
	return_probe_trap.addr = NULL;
}

#endif /* RETURN_PROBE_H */
