// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: the hypervisor drops what it has prepared, at the worst
 * moment. A hypervisor may do that on its own, but not when a test wants it.
 *
 * The kernel's COMMIT runs with all other CPUs stopped, in a function of its
 * own. A probe on that function has the hypervisor cancel, as often as the
 * parameter "cancel" says; the COMMIT that follows finds nothing prepared.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <asm/hvcall.h>
#include <asm/plpar_wrappers.h>

static unsigned int cancel;
module_param(cancel, uint, 0644);
MODULE_PARM_DESC(cancel, "spoil that many COMMITs of an HPT resize; counts down");

static int before_commit(struct kprobe *probe, struct pt_regs *regs)
{
	if (cancel) {
		cancel--;
		plpar_resize_hpt_prepare(0, 0);
	}

	return 0;
}

static struct kprobe commit_probe = {
	.symbol_name = "pseries_lpar_resize_hpt_commit",
	.pre_handler = before_commit,
};

static int __init cancel_init(void)
{
	int ret;

	ret = register_kprobe(&commit_probe);
	if (ret)
		pr_err("no probe on the kernel's COMMIT (error %d)\n", ret);

	return ret;
}

static void __exit cancel_exit(void)
{
	unregister_kprobe(&commit_probe);
}

module_init(cancel_init);
module_exit(cancel_exit);

MODULE_DESCRIPTION("Test of pseries-hpt: the hypervisor cancels before COMMIT");
MODULE_LICENSE("GPL");
