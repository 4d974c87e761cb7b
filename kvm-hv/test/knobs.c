// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters for tests: part of kvm-hv-ext.ko when that is built with
 * CONFIG_KVM_HV_EXT_TEST=m.
 */
#include <linux/atomic.h>
#include <linux/moduleparam.h>

#include "resize/knobs.h"

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
