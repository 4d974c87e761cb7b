/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What kvm-hv-ext adds to the KVM ABI of POWER hosts.
 *
 * Every number here is far above anything upstream hands out, so that a VMM
 * can ask for one on any kernel: without the module the answer is 0 or EINVAL.
 */
#ifndef _UAPI_LINUX_KVM_HV_EXT_H
#define _UAPI_LINUX_KVM_HV_EXT_H

#include <linux/types.h>
#include <linux/ioctl.h>

/* Capabilities, for KVM_CHECK_EXTENSION and KVM_ENABLE_CAP. */
#define KVM_CAP_PPC_HV_EXT		0x48564500
#define KVM_CAP_PPC_HPT_RESIZE		0x48564501
#define KVM_CAP_PPC_GUEST_STOP		0x48564502
#define KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT	0x48564503
#define KVM_CAP_PPC_BALLOON_INHIBIT	0x48564504

/*
 * KVM_CHECK_EXTENSION(KVM_CAP_PPC_HV_EXT): what this module provides. Asked
 * of a VM, what that VM gets: 0 for one made before the module was inserted.
 */
#define KVM_PPC_HV_EXT_RESIZE		(1 << 0)	/* HPT resize by ioctl */
#define KVM_PPC_HV_EXT_RESIZE_HCALL	(1 << 1)	/* H_RESIZE_HPT_* in the kernel */
#define KVM_PPC_HV_EXT_GUEST_STOP	(1 << 2)
#define KVM_PPC_HV_EXT_MAX_PAGE_SHIFT	(1 << 3)
#define KVM_PPC_HV_EXT_BALLOON_INHIBIT	(1 << 4)

/*
 * KVM_CAP_PPC_HPT_RESIZE: CHECK answers a mask of the strategies there are,
 * ENABLE takes one of them in args[0] for this VM, while no resize is in
 * flight (EBUSY otherwise).
 */
#define KVM_PPC_HPT_RESIZE_COPY		(1 << 0)	/* rehash at COMMIT */
#define KVM_PPC_HPT_RESIZE_MIRROR	(1 << 1)	/* kept in step since PREPARE */

#endif /* _UAPI_LINUX_KVM_HV_EXT_H */
