// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_PPC_ALLOCATE_HTAB with the order 0, which no table has.
 *
 * Stock KVM takes a table of the order that is asked for as the one to be cleared. A VM
 * without a table has the order 0: asked for that, KVM clears memory at address 0, and the
 * thread is lost with locks held.
 *
 * The order cannot be looked at before: it is in the memory of the VMM, which may change it
 * until stock KVM has read it. So the question is asked where stock KVM has it in a register,
 * for all VMs of the host.
 */
#include <linux/errno.h>
#include <linux/printk.h>

#include "core/ops.h"

static bool hvx_reset_wants(unsigned long kvm, unsigned long order)
{
	return !(int)order;
}

static long hvx_reset_refuse(struct kvm *kvm, int order)
{
	return -EINVAL;
}

static struct hvx_detour hvx_reset_detour = {
	.wants = hvx_reset_wants,
	.function = hvx_reset_refuse,
};

/**
 * hvx_reset_install() - have no table of order 0 asked for from now on
 *
 * Context: may sleep.
 * Return: 0, or the error of the probe, with the reason in the log.
 */
int hvx_reset_install(void)
{
	int ret = hvx_detour_install(&hvx_reset_detour, "kvmppc_alloc_reset_hpt");

	if (ret)
		pr_err("cannot probe KVM's kvmppc_alloc_reset_hpt() (%d)\n", ret);
	return ret;
}

/**
 * hvx_reset_remove() - leave it to stock KVM
 *
 * Threads may still be on their way: hvx_ops_remove() waits for them.
 *
 * Context: may sleep.
 */
void hvx_reset_remove(void)
{
	hvx_detour_remove(&hvx_reset_detour);
}
