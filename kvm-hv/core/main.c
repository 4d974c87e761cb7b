// SPDX-License-Identifier: GPL-2.0
/*
 * kvm-hv-ext: extensions to KVM HV for hash page table guests.
 */
#include <linux/kvm_host.h>
#include <linux/module.h>

#include <asm/cputable.h>

#include "core/node.h"
#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"
#include "version.h"

/* Before POWER9 all that holds an HPTE's lock in stock KVM is real mode. */
static void __init hvx_warn_of_preemption(void)
{
	if (HVX_STOCK_LOCKS_PREEMPTIBLY && hvx_kernel_preempts() &&
	    cpu_has_feature(CPU_FTR_ARCH_300))
		pr_warn("this kernel is preemptible and its KVM can dead-lock the host when HPT guests run, with or without this module: install Linux 7.3.3 or newer (in the 6.12 series 6.12.117), or one that is not preemptible\n");
}

static int __init hvx_init(void)
{
	int ret;

	/* Nested on pseries, KVM HV has radix guests only. */
	if (!cpu_has_feature(CPU_FTR_HVMODE)) {
		pr_err("not a bare-metal POWER host, there are no HPT guests to serve\n");
		return -ENODEV;
	}

	hvx_warn_of_preemption();
	hvx_stop_cpu_init();
	ret = hvx_vms_init();
	if (ret)
		return ret;
	ret = hvx_memory_begin();
	if (ret)
		goto err_memory;
	ret = hvx_resize_init();
	if (ret)
		goto err_resize;
	ret = hvx_caps_install();
	if (ret)
		goto err_caps;
	ret = hvx_caps_check();
	if (ret)
		goto err_ops;
	ret = hvx_ops_install();
	if (ret == -ENODEV)
		pr_err("KVM HV is not loaded: load kvm-hv first\n");
	if (ret)
		goto err_ops;
	hvx_vfio_install();
	hvx_nodes_begin();
	return 0;

err_ops:
	hvx_caps_remove();
err_caps:
	hvx_resize_exit();
err_resize:
	hvx_memory_finish();
err_memory:
	hvx_vms_exit();
	return ret;
}
module_init(hvx_init);

static void __exit hvx_exit(void)
{
	hvx_nodes_end();
	hvx_vfio_remove();
	hvx_caps_remove();
	hvx_ops_remove();
	hvx_resize_exit();
	hvx_memory_finish();
	hvx_vms_exit();
	/* kfree_rcu() of the last VM's state needs no code of ours. */
}
module_exit(hvx_exit);

MODULE_DESCRIPTION("Extensions to KVM HV for hash page table guests");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_HV_EXT_VERSION);
MODULE_SOFTDEP("pre: kvm-hv");
