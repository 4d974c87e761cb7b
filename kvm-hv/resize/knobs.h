/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests can ask of the module, if it was built for them (test/knobs.c). In what
 * people install there is none of it.
 */
#ifndef KVM_HV_EXT_KNOBS_H
#define KVM_HV_EXT_KNOBS_H

#include <linux/kconfig.h>
#include <linux/types.h>

#if IS_ENABLED(CONFIG_KVM_HV_EXT_TEST)
struct kvm;

bool hvx_fail_alloc(void);
bool hvx_verify(void);
__be64 *hvx_test_pending_hpte(struct kvm *kvm, u64 index);
#else
static inline bool hvx_fail_alloc(void)
{
	return false;
}

static inline bool hvx_verify(void)
{
	return false;
}
#endif

#endif /* KVM_HV_EXT_KNOBS_H */
