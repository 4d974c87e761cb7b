// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters for tests: part of kvm-hv-ext.ko when that is built with
 * CONFIG_KVM_HV_EXT_TEST=m.
 */
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>

#include "base/base.h"
#include "resize/knobs.h"
#include "resize/resize.h"

static bool verify;
module_param(verify, bool, 0644);
MODULE_PARM_DESC(verify,
		 "At COMMIT, compare the whole mirrored HPT with the old one and fail on a difference (slow)");

static unsigned int fail_alloc;
module_param(fail_alloc, uint, 0644);
MODULE_PARM_DESC(fail_alloc,
		 "The n-th allocation for a resize from now on fails, once (0: none)");

/**
 * hvx_fail_alloc() - whether a test wants this allocation to fail
 *
 * Return: true if it does.
 */
bool hvx_fail_alloc(void)
{
	unsigned int n = READ_ONCE(fail_alloc);

	return n && cmpxchg(&fail_alloc, n, n - 1) == n && n == 1;
}

/**
 * hvx_verify() - whether a test wants mirrored tables compared with the old ones
 *
 * Return: true if it does.
 */
bool hvx_verify(void)
{
	return READ_ONCE(verify);
}

/**
 * hvx_test_pending_hpte() - where an HPTE is of the table that is prepared for a VM
 * @kvm: the VM
 * @index: of the HPTE
 *
 * For kvm-hv-ext-test.ko. The table stays for as long as the test neither cancels the
 * resize nor lets it time out; COMMIT makes it the VM's.
 *
 * Context: may sleep.
 * Return: the HPTE, or NULL if no such table is ready.
 */
__be64 *hvx_test_pending_hpte(struct kvm *kvm, u64 index)
{
	struct hvx_vm *vm = hvx_vm_find(kvm);
	struct hvx_resize *rs;

	if (!vm)
		return NULL;
	guard(mutex)(&vm->resizer->lock);
	rs = vm->resizer->pending;
	if (!rs || rs->state != HVX_READY || index >= hpt_nr_hptes(rs->order))
		return NULL;
	return hvx_hptep(&rs->hpt, index);
}
EXPORT_SYMBOL_GPL(hvx_test_pending_hpte);
