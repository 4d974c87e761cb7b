// SPDX-License-Identifier: GPL-2.0
/* Asking for a resize, by either road, with one set of answers. */
#include <errno.h>
#include <stdlib.h>

#include "hpt.h"
#include "host.h"
#include "vmm.h"

/* PREPARE is to be polled; its hint is for guests, tests are impatient. */
#define POLL_US		500
#define LIMIT_US	(20000000ull * host_slower())

/**
 * hcall_errno() - the errno that the ioctls have for an hcall's status
 * @status: H_*
 *
 * Return: 0, -errno, or for H_LONG_BUSY_* its milliseconds as the ioctl's.
 */
int hcall_errno(long status)
{
	int ms = 1;

	switch (status) {
	case H_SUCCESS:
		return 0;
	case H_BUSY:
		return -EBUSY;
	case H_CLOSED:
		return -ENXIO;
	case H_NOT_AVAILABLE:
		return -EOPNOTSUPP;
	case H_FUNCTION:
		return -ENOSYS;
	case H_PARAMETER:
		return -EINVAL;
	case H_PTEG_FULL:
		return -ENOSPC;
	case H_NO_MEM:
		return -ENOMEM;
	case H_RESOURCE:
		return -EPERM;
	case H_LONG_BUSY_FIRST ... H_LONG_BUSY_LAST:
		for (; status > H_LONG_BUSY_FIRST; status--)
			ms *= 10;
		return ms;
	default:
		return -EPROTO;
	}
}

static int ask(struct vcpu *vcpu, unsigned long ioctl_nr, unsigned long hcall,
	       u64 flags, u64 shift)
{
	struct kvm_ppc_resize_hpt arg = { .flags = flags, .shift = shift };

	if (vcpu->vm->road == ROAD_HCALL)
		return hcall_errno(vcpu_hcall2(vcpu, hcall, flags, shift));
	return vm_ioctl(vcpu->vm, ioctl_nr, &arg);
}

/**
 * resize_prepare_once() - one PREPARE, which starts, polls or cancels
 * @vcpu: an idle vCPU, to make the hcall
 * @flags: 0, or what must be refused
 * @shift: order wanted, 0 to cancel
 *
 * By ioctl, shift is cut to 32 bits: it has no more.
 *
 * Return: 0 when ready or cancelled, estimated ms > 0, or -errno.
 */
int resize_prepare_once(struct vcpu *vcpu, u64 flags, u64 shift)
{
	return ask(vcpu, KVM_PPC_RESIZE_HPT_PREPARE, H_RESIZE_HPT_PREPARE,
		   flags, shift);
}

/**
 * resize_prepare() - PREPARE until it is ready or fails
 * @vcpu: an idle vCPU
 * @shift: order wanted
 *
 * Return: 0, or -errno; -ETIMEDOUT if it does not come to an end.
 */
int resize_prepare(struct vcpu *vcpu, u64 shift)
{
	unsigned long long end = now_us() + LIMIT_US;
	int ret;

	for (;;) {
		ret = resize_prepare_once(vcpu, 0, shift);
		/* Not ready, or not begun. */
		if (ret <= 0 && ret != -EBUSY)
			break;
		if (now_us() > end)
			return -ETIMEDOUT;
		pause_us(POLL_US);
	}
	return ret;
}

/**
 * resize_commit_flags() - COMMIT
 * @vcpu: an idle vCPU
 * @flags: 0, or what must be refused
 * @shift: order that was prepared
 *
 * Return: 0, or -errno.
 */
int resize_commit_flags(struct vcpu *vcpu, u64 flags, u64 shift)
{
	int ret = ask(vcpu, KVM_PPC_RESIZE_HPT_COMMIT, H_RESIZE_HPT_COMMIT,
		      flags, shift);

	if (!ret)
		vcpu->vm->order = shift;
	return ret;
}

/**
 * resize_commit() - COMMIT with flags 0
 * @vcpu: an idle vCPU
 * @shift: order that was prepared
 *
 * Return: 0, or -errno.
 */
int resize_commit(struct vcpu *vcpu, u64 shift)
{
	return resize_commit_flags(vcpu, 0, shift);
}

/**
 * resize_commit_running() - COMMIT while other vCPUs run
 * @vcpu: an idle vCPU
 * @shift: order that was prepared
 *
 * On a host that is busy a vCPU may be out of reach for longer than COMMIT waits.
 *
 * Return: 0, or -errno; -EBUSY if it does not come to an end.
 */
int resize_commit_running(struct vcpu *vcpu, u64 shift)
{
	unsigned long long end = now_us() + LIMIT_US;
	int ret;

	do {
		ret = resize_commit(vcpu, shift);
	} while (ret == -EBUSY && now_us() < end);
	return ret;
}

/**
 * resize() - PREPARE and COMMIT
 * @vcpu: an idle vCPU; the guest must have run once
 * @shift: order wanted
 *
 * Return: 0, or -errno of whichever failed.
 */
int resize(struct vcpu *vcpu, u64 shift)
{
	int ret = resize_prepare(vcpu, shift);

	return ret ?: resize_commit_running(vcpu, shift);
}
