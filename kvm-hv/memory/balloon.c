// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon inhibit: who needs a VM's memory to stay where it is.
 *
 * A balloon gives pages of the guest back to the host (MADV_DONTNEED, a hole
 * punched in a file) and gets others later. That breaks a device which works on the
 * old pages (VFIO), and large pages that were promised. Whoever relies on the pages
 * holds the inhibition: by a file descriptor, which ends with its process at the latest,
 * or in this module. The VMM keeps its balloon off as long as there is a holder. If it
 * does not, or if the host takes memory for reasons of its own, watch.c finds out and
 * reports it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "memory/memory.h"

/**
 * hvx_balloon_get() - become a holder: memory is to stay where it is
 * @vm: the VM
 * @who: on whose behalf
 *
 * Each call takes one hvx_balloon_put() to undo it.
 *
 * Context: may sleep; mmap_lock is not held.
 */
void hvx_balloon_get(struct hvx_vm *vm, enum hvx_holder who)
{
	hvx_holders_add(&vm->memory->holders, who, 1);
	hvx_watch_begin(vm);
}

/**
 * hvx_balloon_get_atomic() - hvx_balloon_get() where sleeping is not allowed
 * @vm: the VM
 * @who: on whose behalf
 *
 * A worker begins the watch, so memory that goes in the first moment may be missed.
 *
 * Context: any.
 */
void hvx_balloon_get_atomic(struct hvx_vm *vm, enum hvx_holder who)
{
	hvx_holders_add(&vm->memory->holders, who, 1);
	hvx_watch_begin_atomic(vm);
}

/**
 * hvx_balloon_put() - a holder less
 * @vm: the VM
 * @who: as in the call that is undone
 *
 * Context: any.
 */
void hvx_balloon_put(struct hvx_vm *vm, enum hvx_holder who)
{
	hvx_holders_add(&vm->memory->holders, who, -1);
}

/**
 * hvx_balloon_put_all() - no holder of a kind is left
 * @vm: the VM
 * @who: which kind
 *
 * Context: any.
 */
void hvx_balloon_put_all(struct hvx_vm *vm, enum hvx_holder who)
{
	hvx_holders_add(&vm->memory->holders, who, -INT_MAX);
}

static int hvx_holder_release(struct inode *inode, struct file *file)
{
	struct file *vm_file = file->private_data;

	hvx_balloon_put(hvx_vm_find(vm_file->private_data), HVX_HOLDER_FD);
	fput(vm_file);
	return 0;
}

static const struct file_operations hvx_holder_fops = {
	.owner = THIS_MODULE,
	.release = hvx_holder_release,
	.llseek = noop_llseek,
};

/* The descriptor holds the VM's file, which holds the VM and its struct hvx_vm. */
static int hvx_balloon_new_holder(struct hvx_vm *vm, struct file *vm_file)
{
	int fd;

	get_file(vm_file);
	hvx_balloon_get(vm, HVX_HOLDER_FD);
	fd = anon_inode_getfd("kvm-balloon-inhibit", &hvx_holder_fops, vm_file,
			      O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		hvx_balloon_put(vm, HVX_HOLDER_FD);
		fput(vm_file);
	}
	return fd;
}

/**
 * hvx_balloon_ioctl() - KVM_PPC_BALLOON_INHIBIT
 * @vm: the VM
 * @vm_file: its file, on which the ioctl was done
 * @argp: struct kvm_ppc_balloon_inhibit
 *
 * Context: may sleep.
 * Return: a new descriptor, or 0 when notification was asked for; -EFAULT,
 * -EINVAL, -EBADF, or what stands against another descriptor.
 */
int hvx_balloon_ioctl(struct hvx_vm *vm, struct file *vm_file, void __user *argp)
{
	struct kvm_ppc_balloon_inhibit arg;

	if (copy_from_user(&arg, argp, sizeof(arg)))
		return -EFAULT;
	if (memchr_inv(arg.reserved, 0, sizeof(arg.reserved)))
		return -EINVAL;

	switch (arg.op) {
	case KVM_PPC_BALLOON_HOLD:
		return hvx_balloon_new_holder(vm, vm_file);
	case KVM_PPC_BALLOON_NOTIFY:
		return hvx_holders_notify(&vm->memory->holders, arg.eventfd);
	}
	return -EINVAL;
}
