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
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "core/compat.h"
#include "core/vm.h"
#include "memory/watch.h"

/**
 * hvx_balloon_init() - the inhibition of a new VM: nobody holds it
 * @b: zeroed
 */
void hvx_balloon_init(struct hvx_balloon *b)
{
	spin_lock_init(&b->lock);
	hvx_watch_init(b);
}

/**
 * hvx_balloon_destroy() - for a VM that goes away
 * @vm: the VM; no descriptor holds it, for they hold the VM
 *
 * Context: may sleep.
 */
void hvx_balloon_destroy(struct hvx_vm *vm)
{
	struct hvx_balloon *b = &vm->balloon;

	hvx_watch_end(vm);
	if (b->eventfd)
		eventfd_ctx_put(b->eventfd);
	b->eventfd = NULL;
}

/*
 * Count a holder in or out, and signal the eventfd for the first and the last one. The
 * count does not go below 0: a probe can miss a holder that comes (vfio.c), but not one
 * that goes.
 */
static void hvx_balloon_count(struct hvx_balloon *b, enum hvx_holder who,
			      int by)
{
	spin_lock(&b->lock);
	by = max(by, -(int)b->holders[who]);
	b->holders[who] += by;
	b->total += by;
	if (by && b->total == max(by, 0) && b->eventfd)
		hvx_eventfd_signal(b->eventfd);
	spin_unlock(&b->lock);
}

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
	hvx_balloon_count(&vm->balloon, who, 1);
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
	hvx_balloon_count(&vm->balloon, who, 1);
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
	hvx_balloon_count(&vm->balloon, who, -1);
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
	hvx_balloon_count(&vm->balloon, who, -INT_MAX);
}

/**
 * hvx_balloon_holders() - how many holders there are
 * @vm: the VM
 *
 * Return: the number, 0 if the balloon may be used.
 */
unsigned int hvx_balloon_holders(struct hvx_vm *vm)
{
	return READ_ONCE(vm->balloon.total);
}

/**
 * hvx_balloon_promised() - whether memory that goes breaks a promise
 * @vm: the VM
 *
 * A resize does not count. The guest asks for it, and the VMM need not know. If memory
 * goes meanwhile the resize only does some work twice.
 *
 * Return: true if anybody but resizes holds the inhibition.
 */
bool hvx_balloon_promised(struct hvx_vm *vm)
{
	struct hvx_balloon *b = &vm->balloon;
	bool promised;

	spin_lock(&b->lock);
	promised = b->total > b->holders[HVX_HOLDER_RESIZE];
	spin_unlock(&b->lock);
	return promised;
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

static int hvx_balloon_notify(struct hvx_vm *vm, int fd)
{
	struct hvx_balloon *b = &vm->balloon;
	struct eventfd_ctx *ctx = NULL;

	if (fd != -1) {
		ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	spin_lock(&b->lock);
	swap(b->eventfd, ctx);
	spin_unlock(&b->lock);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
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
		return hvx_balloon_notify(vm, arg.eventfd);
	}
	return -EINVAL;
}

/**
 * hvx_balloon_show() - print holders and violations, as "name value" lines
 * @m: where
 * @vm: the VM
 */
void hvx_balloon_show(struct seq_file *m, struct hvx_vm *vm)
{
	static const char *const names[HVX_NR_HOLDERS] = {
		[HVX_HOLDER_FD] = "fd",
		[HVX_HOLDER_PROMISE] = "promise",
		[HVX_HOLDER_RESIZE] = "resize",
		[HVX_HOLDER_VFIO] = "vfio",
	};
	struct hvx_balloon *b = &vm->balloon;
	int i;

	spin_lock(&b->lock);
	for (i = 0; i < HVX_NR_HOLDERS; i++)
		seq_printf(m, "%s %u\n", names[i], b->holders[i]);
	seq_printf(m, "violations %llu\n", b->violations);
	seq_printf(m, "zapped_bytes %llu\n", b->zapped);
	seq_printf(m, "split_bytes %llu\n", b->split);
	seq_printf(m, "resize_events %llu\n", b->resize_events);
	seq_printf(m, "resize_bytes %llu\n", b->resize_bytes);
	seq_printf(m, "unseen %llu\n", b->unseen);
	spin_unlock(&b->lock);
}
