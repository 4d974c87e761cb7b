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
#define KVM_PPC_HV_EXT_CHECK_MEMORY	(1 << 5)
#define KVM_PPC_HV_EXT_STATE_GET	(1 << 6)	/* KVM_PPC_HV_EXT_STATE */

/*
 * KVM_CAP_PPC_HPT_RESIZE: CHECK answers a mask of the strategies there are,
 * ENABLE takes one of them in args[0] for this VM, while no resize is in
 * flight (EBUSY otherwise).
 */
#define KVM_PPC_HPT_RESIZE_COPY		(1 << 0)	/* rehash at COMMIT */
#define KVM_PPC_HPT_RESIZE_MIRROR	(1 << 1)	/* kept in step since PREPARE */

/*
 * KVM_CAP_PPC_GUEST_STOP: CHECK answers how a guest's stop instruction can be
 * completed on this host. ENABLE takes the ways that are allowed for this VM in
 * args[0]: 0 for none (as without the module: a program interrupt), EMULATED, or
 * EMULATED | NATIVE for native where the host can. NATIVE alone is no choice
 * (EINVAL), as such a guest could not move. Before any vCPU has run (EBUSY).
 *
 * The one who enables it keeps it enabled wherever the guest goes.
 */
#define KVM_PPC_GUEST_STOP_EMULATED	(1 << 0)	/* traps, wakes up at once */
#define KVM_PPC_GUEST_STOP_NATIVE	(1 << 1)	/* the thread really stops */

/*
 * Hcall: what a guest may use. H_SUCCESS with a mask in R4, or H_FUNCTION as
 * for any unknown hcall where there is nothing, or no module.
 */
#define H_KVM_HV_EXT_FEATURES		0xf7f0
#define H_KVM_HV_EXT_FEATURE_STOP	(1 << 0)	/* stop with ESL = EC = 0 */

/*
 * KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT: the largest page, as a power of two, that an
 * HPT guest may count on. CHECK answers the largest that this host can ever
 * honour. ENABLE takes any shift from 12 on in args[0] and flags in args[1],
 * once (EBUSY) and before the first vCPU runs (EBUSY); EINVAL for anything else.
 * What is in force already can be set again at any time.
 */
#define KVM_PPC_HPT_MAX_PAGE_STRICT	(1 << 0)	/* H_ENTER beyond it fails */

/*
 * KVM_PPC_BALLOON_INHIBIT, an ioctl of a VM. With HOLD it answers a new file
 * descriptor, and as long as one such is open the VM's memory must not be given
 * back to the host. With NOTIFY an eventfd is signalled whenever that begins or
 * ends (-1: no longer). CHECK of KVM_CAP_PPC_BALLOON_INHIBIT answers how many hold
 * it, the module itself included.
 */
#define KVM_PPC_BALLOON_HOLD		0
#define KVM_PPC_BALLOON_NOTIFY		1

struct kvm_ppc_balloon_inhibit {
	__u32 op;
	__s32 eventfd;
	__u64 reserved[3];	/* must be 0 */
};

#define KVM_PPC_BALLOON_INHIBIT	_IOW(0xAE, 0xf0, struct kvm_ppc_balloon_inhibit)

/*
 * KVM_PPC_CHECK_MEMORY, an ioctl of a VM: whether KVM_SET_USER_MEMORY_REGION would
 * take this as a new memslot. Answers 0 or fails as that would, and makes no memslot.
 * As that would, it may have a page of a mapping with transparent huge pages faulted in.
 */
struct kvm_ppc_check_memory {
	__u64 guest_addr;
	__u64 host_addr;	/* userspace_addr of the memslot */
	__u64 size;		/* bytes */
	__u64 flags;		/* KVM_MEM_* */
	__u64 reserved[4];	/* must be 0 */
};

#define KVM_PPC_CHECK_MEMORY	_IOW(0xAE, 0xf2, struct kvm_ppc_check_memory)

/*
 * KVM_PPC_HV_EXT_STATE, an ioctl of a VM: what it has, whether its VMM chose it, a
 * module parameter did, or the guest. The values are those that ENABLE takes.
 */
struct kvm_ppc_hv_ext_state {
	__u32 hpt_order;	/* log2 of bytes; 0: radix, or no table yet */
	__u32 resize_strategy;	/* of the next PREPARE */
	__u32 guest_stop;
	__u32 max_page_shift;	/* 0: no limit */
	__u32 max_page_flags;
	__u32 reserved[11];	/* 0 for now */
};

#define KVM_PPC_HV_EXT_STATE	_IOR(0xAE, 0xf1, struct kvm_ppc_hv_ext_state)

#endif /* _UAPI_LINUX_KVM_HV_EXT_H */
