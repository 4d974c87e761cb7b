// SPDX-License-Identifier: GPL-2.0
/*
 * Whether this kernel runs where its hash page table can be resized, and what
 * happens at load and unload.
 *
 * Each "no" is one line in the log, since insmod itself can only say
 * "No such device".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <asm/book3s/64/mmu-hash.h>
#include <asm/firmware.h>
#include <asm/mmu.h>

#include "pseries-hpt.h"
#include "version.h"

static int __init hpt_check_platform(void)
{
	if (!firmware_has_feature(FW_FEATURE_LPAR)) {
		pr_info("not loaded: this is not a guest of a PAPR hypervisor\n");
		return -ENODEV;
	}

	if (radix_enabled()) {
		pr_info("not loaded: this guest uses the radix MMU, it has no hash page table\n");
		return -ENODEV;
	}

	if (!firmware_has_feature(FW_FEATURE_HPT_RESIZE) ||
	    !mmu_hash_ops.resize_hpt) {
		pr_info("not loaded: the hypervisor does not offer to resize the hash page table\n");
		return -ENODEV;
	}

	return 0;
}

static int __init hpt_init(void)
{
	int ret;

	ret = hpt_check_platform();
	if (ret)
		return ret;

	hpt_traced_init();
	ret = hpt_hotplug_watch();
	if (ret) {
		pr_info("not loaded: in a preemptible kernel it could disturb memory hotplug, which cannot be probed (error %d)\n",
			ret);
		return ret;
	}
	ret = hpt_sysfs_add();
	if (ret) {
		pr_err("not loaded: no /sys/kernel/hpt (error %d)\n", ret);
		goto err_sysfs;
	}
	hpt_kexec_watch();
	ret = hpt_watch_begin();
	if (ret) {
		pr_err("not loaded: no device for its events (error %d)\n", ret);
		goto err_watch;
	}
	return 0;

err_watch:
	hpt_resize_end();
	/* Somebody may have been quick, and nobody else tells. */
	hpt_devtree_set(hpt_order());
	hpt_kexec_end();
	hpt_sysfs_remove();
err_sysfs:
	hpt_hotplug_end();
	return ret;
}

static void __exit hpt_exit(void)
{
	/*
	 * Resizes come first: a COMMIT that has begun is completed, and then the device
	 * tree has to be told, and whoever loads a kernel for kexec.
	 */
	hpt_resize_end();
	hpt_kexec_end();
	hpt_watch_end();
	hpt_sysfs_remove();
	hpt_hotplug_end();
}

module_init(hpt_init);
module_exit(hpt_exit);

MODULE_DESCRIPTION("Resize the hash page table of a running pseries guest");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_HV_EXT_VERSION);
