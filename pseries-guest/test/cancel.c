// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: a hypervisor that drops what it has prepared. One may do that
 * at any time, but none does it when a test wants it.
 *
 * before_commit
 *	At the worst moment. The kernel's COMMIT runs with all other CPUs
 *	stopped, in a function of its own; a probe on that function has the
 *	hypervisor cancel. The COMMIT that follows finds nothing prepared.
 *
 * all_the_time
 *	So often that a PREPARE never gets to its end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <asm/plpar_wrappers.h>

static unsigned int before_commit;
module_param(before_commit, uint, 0644);
MODULE_PARM_DESC(before_commit, "cancel before that many COMMITs; counts down");

static bool all_the_time;
module_param(all_the_time, bool, 0644);
MODULE_PARM_DESC(all_the_time, "cancel every millisecond");

static struct task_struct *canceller;

static int commit_begins(struct kprobe *probe, struct pt_regs *regs)
{
	if (before_commit) {
		before_commit--;
		plpar_resize_hpt_prepare(0, 0);
	}

	return 0;
}

static struct kprobe commit_probe = {
	.symbol_name = "pseries_lpar_resize_hpt_commit",
	.pre_handler = commit_begins,
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

static int __init cancel_init(void)
{
	int ret;

	ret = register_kprobe(&commit_probe);
	if (ret) {
		pr_err("no probe on the kernel's COMMIT (error %d)\n", ret);
		return ret;
	}

	canceller = kthread_run(cancel_all_the_time, NULL, "hpt-cancel");
	if (IS_ERR(canceller)) {
		unregister_kprobe(&commit_probe);
		return PTR_ERR(canceller);
	}

	return 0;
}

static void __exit cancel_exit(void)
{
	kthread_stop(canceller);
	unregister_kprobe(&commit_probe);
}

module_init(cancel_init);
module_exit(cancel_exit);

MODULE_DESCRIPTION("Test of pseries-hpt: a hypervisor that drops what it prepared");
MODULE_LICENSE("GPL");
