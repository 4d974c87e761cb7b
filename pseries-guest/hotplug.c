// SPDX-License-Identifier: GPL-2.0
/*
 * When a COMMIT must not be, whoever's it is.
 *
 * The kernel's function that makes the hcall runs inside stop_machine(). A probe on it has
 * the hypervisor drop what was prepared, so that the COMMIT which follows fails by itself.
 * There are two reasons. One is a tracepoint (traced.c), the other, in a kernel that
 * preempts, is memory hotplug.
 *
 * Memory hotplug, and whatever else maps kernel memory with bolted entries, works out
 * by htab_hash_mask which group of the HPT an entry goes to, and then has the hypervisor
 * put it there, or take it away. If a COMMIT comes in between, the group is that of
 * another table: an entry is where the hardware does not look, or stays when it should
 * have gone. Without preemption that cannot be, as COMMIT runs in stop_machine(), for
 * which each CPU has to come by. What holds memory hotplug off otherwise is not for
 * modules.
 *
 * So the threads that are inside the two functions are counted, by return probes. Inside
 * stop_machine() all CPUs are held, so the count cannot change until COMMIT is done. A
 * thread that has not been counted yet when it is held has not looked at the mask either;
 * one that is no longer counted has done what it wanted.
 *
 * All other users of the mask have interrupts or preemption off.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>

#include <asm/plpar_wrappers.h>

#include "pseries-hpt.h"
#include "return_probe.h"

static atomic_t inside;

static int mapping_begins(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	atomic_inc(&inside);
	return 0;
}

static int mapping_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	atomic_dec(&inside);
	return 0;
}

/* Memory hotplug goes one at a time; some others may be with it. */
#define MAX_INSIDE	256

static struct return_probe bolt_probe = {
	.probe = {
		.kp.symbol_name = "htab_bolt_mapping",
		.entry_handler = mapping_begins,
		.handler = mapping_ends,
		.maxactive = MAX_INSIDE,
	},
};

static struct return_probe remove_probe = {
	.probe = {
		.kp.symbol_name = "htab_remove_mapping",
		.entry_handler = mapping_begins,
		.handler = mapping_ends,
		.maxactive = MAX_INSIDE,
	},
};

static bool missed(const struct return_probe *rp)
{
	return rp->probe.nmissed || rp->probe.kp.nmissed;
}

/* One that was missed is not counted, and nobody knows when it ends. */
static bool missed_any(void)
{
	if (!missed(&bolt_probe) && !missed(&remove_probe))
		return false;

	pr_warn_once("no more resizes: a probe was missed, and memory hotplug may be under way\n");
	return true;
}

/* Whether a COMMIT would be refused now. Without the probes none is. */
static bool hpt_hotplug_inside(void)
{
	return atomic_read(&inside) || missed_any();
}

/*
 * The function itself goes on. To return in its place would be shorter, but a probe that
 * has been optimised to a jump cannot, and with CONFIG_LIVEPATCH ftrace takes another
 * address for a patched function, which is to come back.
 */
static int commit_begins(struct kprobe *kp, struct pt_regs *regs)
{
	if (hpt_hotplug_inside() || hpt_traced())
		plpar_resize_hpt_prepare(0, 0);
	return 0;
}

static struct kprobe commit_probe = {
	.symbol_name = "pseries_lpar_resize_hpt_commit",
	.pre_handler = commit_begins,
};

/**
 * hpt_hotplug_wait() - wait until a COMMIT is likely not to be refused
 *
 * Context: process context, sleeps, for a second at most.
 */
void hpt_hotplug_wait(void)
{
	int tries = 50;

	while (hpt_hotplug_inside() && tries--)
		msleep(20);
}

static int watch_hotplug(void)
{
	int ret = return_probe_register(&bolt_probe);

	if (ret)
		return ret;
	ret = return_probe_register(&remove_probe);
	if (ret)
		return_probe_unregister(&bolt_probe);
	return ret;
}

/**
 * hpt_hotplug_watch() - refuse COMMIT while it would hurt, from now on
 *
 * Who is inside already when the probes are set is not counted. But nobody sleeps
 * inside, so they are out after a grace period of RCU tasks.
 *
 * In a kernel that does not preempt all this is for tracing only, and does without where
 * there are no probes.
 *
 * Context: process context, sleeps.
 * Return: 0, or the error of the probes.
 */
int hpt_hotplug_watch(void)
{
	int ret;

	if (IS_ENABLED(CONFIG_PREEMPTION)) {
		ret = watch_hotplug();
		if (ret)
			return ret;
	}
	ret = entry_probe_register(&commit_probe);
	if (!IS_ENABLED(CONFIG_PREEMPTION))
		return 0;
	if (ret)
		hpt_hotplug_end();
	else
		synchronize_rcu_tasks();
	return ret;
}

/**
 * hpt_hotplug_end() - no longer
 *
 * Context: process context, sleeps; no resize is under way.
 */
void hpt_hotplug_end(void)
{
	if (commit_probe.addr)
		unregister_kprobe(&commit_probe);
	return_probe_unregister(&remove_probe);
	return_probe_unregister(&bolt_probe);
}
