// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only, in a kernel that preempts: a COMMIT that comes while memory hotplug is
 * between working out an entry's group and having it entered.
 *
 * After echo ORDER >order, the next bolted entry that somebody wants to enter has an HPT
 * of that order prepared (no sooner, as new memory ends what is in preparation), and
 * makes a thread of the highest priority run on that CPU: when the probe is done
 * the one is preempted, and the other has the kernel switch.
 * "result" is 1 until then, and 2 meanwhile; afterwards what the kernel's resizer said.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <asm/book3s/64/mmu-hash.h>
#include <asm/plpar_wrappers.h>

#include "entry_probe.h"

enum { ARMED = 1, MET = 2 };

static int result;
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "1: armed, 2: met, else what the kernel's resizer said");

static unsigned int order;
static DECLARE_WAIT_QUEUE_HEAD(met_wait);
static struct task_struct *committer;

static int order_set(const char *val, const struct kernel_param *kp)
{
	int ret = kstrtouint(val, 0, &order);

	if (!ret)
		WRITE_ONCE(result, ARMED);
	return ret;
}

static const struct kernel_param_ops order_ops = {
	.set = order_set,
};
module_param_cb(order, &order_ops, NULL, 0200);
MODULE_PARM_DESC(order, "of the HPT to switch to, as log2 of bytes");

/* hpte_insert(group, vpn, pa, rflags, vflags, ...) */
static int insert_begins(struct kprobe *kp, struct pt_regs *regs)
{
	int tries = 1000;

	/* The probe is a trap (entry_probe.h), which has interrupts off itself. */
	if (!(regs->gpr[7] & HPTE_V_BOLTED) || (regs->softe & IRQS_DISABLED) ||
	    cmpxchg(&result, ARMED, MET) != ARMED)
		return 0;
	/* The kernel's resizer is not to sleep for it. */
	while (plpar_resize_hpt_prepare(0, order) != H_SUCCESS && tries--)
		mdelay(1);
	wake_up(&met_wait);
	return 0;
}

static struct kprobe insert_probe = {
	.symbol_name = "pSeries_lpar_hpte_insert",
	.pre_handler = insert_begins,
};

static int commit_when_met(void *unused)
{
	int ret;

	while (!kthread_should_stop()) {
		wait_event_interruptible(met_wait, READ_ONCE(result) == MET ||
					 kthread_should_stop());
		if (READ_ONCE(result) != MET)
			continue;
		cpus_read_lock();
		ret = mmu_hash_ops.resize_hpt(order);
		cpus_read_unlock();
		WRITE_ONCE(result, ret);
	}
	return 0;
}

static int __init window_init(void)
{
	int ret;

	committer = kthread_create(commit_when_met, NULL, "hpt-window");
	if (IS_ERR(committer))
		return PTR_ERR(committer);
	/* The test's hotplug is on this one, if there are others. */
	kthread_bind(committer, 0);
	sched_set_fifo(committer);
	wake_up_process(committer);
	ret = entry_probe_register(&insert_probe);
	if (ret)
		kthread_stop(committer);
	return ret;
}

static void __exit window_exit(void)
{
	unregister_kprobe(&insert_probe);
	kthread_stop(committer);
}

module_init(window_init);
module_exit(window_exit);

MODULE_DESCRIPTION("Test of pseries-hpt: COMMIT in the middle of a memory hotplug");
MODULE_LICENSE("GPL");
