// SPDX-License-Identifier: GPL-2.0
/*
 * kvm-hv-ext: extensions to KVM HV for hash page table guests.
 */
#include <linux/build_bug.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

#include <asm/cputable.h>

#include "core/compat.h"
#include "core/ops.h"
#include "return_probe.h"
#include "version.h"

#define CREATE_TRACE_POINTS
#include "core/trace.h"

/* hpte.h has its own names for the unit tests' sake: they are the kernel's. */
#define HVX_SAME(ours, kernels)	static_assert((ours) == (kernels))
HVX_SAME(HPT_V_AVPN, HPTE_V_AVPN);
HVX_SAME(HPT_V_BOLTED, HPTE_V_BOLTED);
HVX_SAME(HPT_V_LARGE, HPTE_V_LARGE);
HVX_SAME(HPT_V_SECONDARY, HPTE_V_SECONDARY);
HVX_SAME(HPT_V_VALID, HPTE_V_VALID);
HVX_SAME(HPT_V_HVLOCK, HPTE_V_HVLOCK);
HVX_SAME(HPT_V_ABSENT, HPTE_V_ABSENT);
HVX_SAME(HPT_R_PP0, HPTE_R_PP0);
HVX_SAME(HPT_R_KEY, HPTE_R_KEY);
HVX_SAME(HPT_R_RPN, HPTE_R_RPN);
HVX_SAME(HPT_R_R, HPTE_R_R);
HVX_SAME(HPT_R_C, HPTE_R_C);
HVX_SAME(HPT_GR_MODIFIED, HPTE_GR_MODIFIED);
HVX_SAME(HPT_V3_V_COMMON, HPTE_V_COMMON_BITS);
HVX_SAME(HPT_V3_R_B, HPTE_R_3_0_SSIZE_MASK);
HVX_SAME(HPT_ORDER_MIN, PPC_MIN_HPT_ORDER);
HVX_SAME(HPT_ORDER_MAX, PPC_MAX_HPT_ORDER);

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
	ret = hvx_resize_init();
	if (ret)
		goto err_resize;
	ret = return_probe_begin();
	if (ret) {
		pr_err("this kernel is preemptible, and its return probes cannot be made safe (%d)\n",
		       ret);
		goto err_probe;
	}
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
	return 0;

err_ops:
	hvx_caps_remove();
err_caps:
	return_probe_end();
err_probe:
	hvx_resize_exit();
err_resize:
	hvx_vms_exit();
	return ret;
}
module_init(hvx_init);

static void __exit hvx_exit(void)
{
	hvx_vfio_remove();
	hvx_ops_remove();
	hvx_caps_remove();
	return_probe_end();
	hvx_resize_exit();
	hvx_vms_exit();
	/* kfree_rcu() of the last VM's state needs no code of ours. */
}
module_exit(hvx_exit);

MODULE_DESCRIPTION("Extensions to KVM HV for hash page table guests");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_HV_EXT_VERSION);
MODULE_SOFTDEP("pre: kvm-hv");
