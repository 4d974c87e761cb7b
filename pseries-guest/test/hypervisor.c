// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: a hypervisor that drops what it has prepared, or has no time. One
 * may do that at any time, but none does it when a test wants it.
 *
 * before_commit
 *	At the worst moment. The kernel's COMMIT runs with all other CPUs
 *	stopped, in a function of its own; a probe on that function has the
 *	hypervisor cancel. The COMMIT that follows finds nothing prepared.
 *
 * before_lock
 *	Just before: when the driver holds off CPU hotplug, which it does in order
 *	to commit. "unready" counts the times that the kernel's resizer was entered
 *	when its PREPARE was not going to be answered at once.
 *
 * all_the_time
 *	So often that a PREPARE never gets to its end.
 *
 * hold_commit
 *	Not by itself: COMMIT is held up until the hypervisor has dropped what is to
 *	be committed, or ten seconds have passed.
 *
 * answers, answer
 *	So many PREPAREs never get to the hypervisor, but have that answer.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/version.h>
#include <asm/plpar_wrappers.h>

#include "entry_probe.h"

static unsigned int before_commit;
module_param(before_commit, uint, 0644);
MODULE_PARM_DESC(before_commit, "cancel before that many COMMITs; counts down");

static unsigned int before_lock;
module_param(before_lock, uint, 0644);
MODULE_PARM_DESC(before_lock, "cancel before that many times that the driver has no CPU come or go; counts down");

static unsigned int unready;
module_param(unready, uint, 0644);
MODULE_PARM_DESC(unready, "how often the kernel's resizer was called too early");

static bool all_the_time;
module_param(all_the_time, bool, 0644);
MODULE_PARM_DESC(all_the_time, "cancel every millisecond");

static bool hold_commit;
module_param(hold_commit, bool, 0644);
MODULE_PARM_DESC(hold_commit, "hold one COMMIT until nothing is prepared any more");

static long answer = H_BUSY;
module_param(answer, long, 0644);
MODULE_PARM_DESC(answer, "of those PREPAREs");

static unsigned int answers;
module_param(answers, uint, 0644);
MODULE_PARM_DESC(answers, "PREPAREs that are answered here; counts down");

static struct task_struct *canceller;

/* Interrupts are off, and QEMU needs time to do something else. */
static void hold_until_dropped(unsigned long order)
{
	int ms;

	for (ms = 0; ms < 10000; ms++) {
		if (plpar_resize_hpt_prepare(0, order) != H_SUCCESS)
			return;
		mdelay(1);
	}
}

/* Of pseries_lpar_resize_hpt_commit(): a structure that begins with the order. */
static int commit_begins(struct kprobe *probe, struct pt_regs *regs)
{
	if (before_commit) {
		before_commit--;
		plpar_resize_hpt_prepare(0, 0);
	}
	if (hold_commit) {
		hold_commit = false;
		hold_until_dropped(*(unsigned long *)regs->gpr[3]);
	}

	return 0;
}

static struct kprobe commit_probe = {
	.symbol_name = "pseries_lpar_resize_hpt_commit",
	.pre_handler = commit_begins,
};

static int resizer_begins(struct kprobe *probe, struct pt_regs *regs)
{
	if (plpar_resize_hpt_prepare(0, regs->gpr[3]) != H_SUCCESS)
		unready++;

	return 0;
}

static struct kprobe resizer_probe = {
	.symbol_name = "pseries_lpar_resize_hpt",
	.pre_handler = resizer_begins,
};

static int lock_begins(struct kprobe *probe, struct pt_regs *regs)
{
	char caller[64];

	if (!before_lock)
		return 0;

	snprintf(caller, sizeof(caller), "%ps", (void *)regs->link);
	if (strstr(caller, "[pseries_hpt]")) {
		before_lock--;
		plpar_resize_hpt_prepare(0, 0);
	}

	return 0;
}

static struct kprobe lock_probe = {
	.symbol_name = "cpus_read_lock",
	.pre_handler = lock_begins,
};

/*
 * Where PREPAREs are answered: in the kernel's function for hcalls, or in the driver's for
 * its own PREPAREs. The one hangs a 6.1 guest, where page faults and interrupts go by the
 * probe as well; the other could not return in place where ftrace's code is out of line.
 */
#define ANSWER_ALL	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

/* Returns to the caller at once, where there is something to answer. */
static int hcall_begins(struct kprobe *probe, struct pt_regs *regs)
{
	if (!answers)
		return 0;
	if (ANSWER_ALL &&
	    (regs->gpr[3] != H_RESIZE_HPT_PREPARE || !regs->gpr[5]))
		return 0;

	answers--;
	regs->gpr[3] = answer;
	regs_set_return_ip(regs, regs->link);
	return 1;
}

static struct kprobe hcall_probe = {
	.symbol_name = ANSWER_ALL ? "plpar_hcall_norets" : "hpt_ask_prepare",
	.pre_handler = hcall_begins,
	/* So that the probe is no jump, which would not let us return. */
	.post_handler = entry_probe_nothing,
};

static struct kprobe *probes[] = {
	&commit_probe, &resizer_probe, &lock_probe, &hcall_probe,
};

static int cancel_all_the_time(void *unused)
{
	while (!kthread_should_stop()) {
		if (READ_ONCE(all_the_time))
			plpar_resize_hpt_prepare(0, 0);
		usleep_range(500, 1000);
	}

	return 0;
}

static int __init hypervisor_init(void)
{
	int ret;

	ret = entry_probes_register(probes, ARRAY_SIZE(probes));
	if (ret) {
		pr_err("no probes on the kernel's resizer (error %d)\n", ret);
		return ret;
	}

	canceller = kthread_run(cancel_all_the_time, NULL, "hpt-cancel");
	if (IS_ERR(canceller)) {
		unregister_kprobes(probes, ARRAY_SIZE(probes));
		return PTR_ERR(canceller);
	}

	return 0;
}

static void __exit hypervisor_exit(void)
{
	kthread_stop(canceller);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
}

module_init(hypervisor_init);
module_exit(hypervisor_exit);

MODULE_DESCRIPTION("Test of pseries-hpt: a hypervisor that drops what it prepared, or is busy");
MODULE_LICENSE("GPL");
