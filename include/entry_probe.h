/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Probes at the entry of functions, in a kernel that preempts.
 *
 * Two of the kernel's three kinds of probe save all registers, call the handler, and put
 * all back, r13 included: those that are made of ftrace's call at the entry
 * (ftrace_regs_caller), and those that are optimised into a jump (optprobes_head.S). A
 * thread that is preempted in between and continues on another CPU then has the r13, so
 * the PACA and the "current", of the CPU that it came from, and counts its preemption on
 * another thread: "scheduling while atomic: swapper/0", or worse. Seen on 7.3.4.
 *
 * The third kind traps, and the end of an interrupt leaves r13 alone. So a probe is put
 * beside ftrace's call, where the arguments and LR are as the caller left them: at the
 * instruction before, which saves LR for ftrace, and which nobody patches once the kernel
 * or the module is loaded; or, where ftrace's code is out of line and the call is alone,
 * at the instruction after. And a probe with a post_handler is not optimised.
 */
#ifndef ENTRY_PROBE_H
#define ENTRY_PROBE_H

#include <linux/kconfig.h>
#include <linux/kprobes.h>

static inline void entry_probe_nothing(struct kprobe *kp, struct pt_regs *regs,
				       unsigned long flags)
{
}

/**
 * entry_probe_place() - where a probe is safe in a kernel that preempts
 * @kp: with the symbol_name of the function; has an address instead afterwards. To be
 *	registered next, and not again.
 *
 * Context: may sleep.
 * Return: 0, or the error of a probe there: -ENOENT if there is no such function.
 */
static inline int entry_probe_place(struct kprobe *kp)
{
	struct kprobe look = {
		.symbol_name = kp->symbol_name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	int ret;

	if (!IS_ENABLED(CONFIG_PREEMPTION))
		return 0;
	ret = register_kprobe(&look);
	if (ret)
		return ret;
	kp->addr = look.addr;
	kp->symbol_name = NULL;
	if (kprobe_ftrace(&look))
		kp->addr += IS_ENABLED(CONFIG_PPC_FTRACE_OUT_OF_LINE) ? 1 : -1;
	if (!kp->post_handler)
		kp->post_handler = entry_probe_nothing;
	unregister_kprobe(&look);
	return 0;
}

/**
 * entry_probe_register() - a probe at the entry of a function
 * @kp: with the symbol_name of the function. If it stays unregistered, its addr is NULL.
 *
 * Context: may sleep.
 * Return: 0, or the error of the probe.
 */
static inline int entry_probe_register(struct kprobe *kp)
{
	int ret = entry_probe_place(kp);

	if (!ret)
		ret = register_kprobe(kp);
	if (ret)
		kp->addr = NULL;
	return ret;
}

/**
 * entry_probes_register() - probes at the entry of functions
 * @kps: as for entry_probe_register()
 * @num: how many
 *
 * Context: may sleep.
 * Return: 0, or the error of the probes, and none is registered.
 */
static inline int entry_probes_register(struct kprobe **kps, int num)
{
	int i, ret = 0;

	for (i = 0; i < num && !ret; i++)
		ret = entry_probe_place(kps[i]);
	return ret ?: register_kprobes(kps, num);
}

#endif /* ENTRY_PROBE_H */
