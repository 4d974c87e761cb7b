// SPDX-License-Identifier: GPL-2.0
/*
 * For tests only: a thread that sleeps while it holds an HPTE's lock, as one does
 * that is preempted in stock KVM on kernels where that can be. Who waits for the
 * lock must let it go on.
 *
 * "FD INDEX MS", written to /sys/kernel/debug/kvm-hv-ext-test/hold by a process that
 * has a VM open as descriptor FD, locks that HPTE of the VM's present table for so
 * long; "FD INDEX MS pending" one of the table that is prepared. The file "held" has how
 * many are being held.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "resize/hpt.h"
#include "resize/knobs.h"

/* How many locks are held. */
static atomic_t held;

static __be64 *present_hpte(struct kvm *kvm, u64 index)
{
	struct kvm_hpt_info hpt = kvm->arch.hpt;

	if (!hpt.virt || index >= hpt_nr_hptes(hpt.order))
		return NULL;
	return hvx_hptep(&hpt, index);
}

/* The entry is in use, so that a harvest waits for it before the table is freed. */
static int hold(__be64 *hptep, unsigned int ms)
{
	if (!hptep)
		return -EINVAL;
	if (!hpte_in_use(hvx_hpte_v(hptep)))
		return -ENOENT;
	while (!try_lock_hpte(hptep, HPTE_V_HVLOCK))
		usleep_range(10, 100);
	atomic_inc(&held);
	msleep(ms);
	atomic_dec(&held);
	hvx_hpte_unlock(hptep);
	return 0;
}

/* This module has no reference on kvm-hv-ext but for so long: tests remove that. */
static int hold_pending(struct kvm *kvm, u64 index, unsigned int ms)
{
	__be64 *(*pending_hpte)(struct kvm *kvm, u64 index);
	int ret;

	pending_hpte = symbol_get(hvx_test_pending_hpte);
	if (!pending_hpte)
		return -ENODEV;
	ret = hold(pending_hpte(kvm, index), ms);
	symbol_put(hvx_test_pending_hpte);
	return ret;
}

static ssize_t hold_write(struct file *unused, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	int fd, fields, ret = -EINVAL;
	char text[64], which[8];
	struct file *file;
	unsigned int ms;
	struct kvm *kvm;
	u64 index;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = 0;
	fields = sscanf(text, "%d %llu %u %7s", &fd, &index, &ms, which);
	if (fields != 3 && (fields != 4 || strcmp(which, "pending")))
		return -EINVAL;
	file = fget(fd);
	if (!file)
		return -EBADF;
	/* As /proc/self/fd calls it; KVM exports no better way to tell. */
	if (!strcmp(file->f_path.dentry->d_name.name, "kvm-vm")) {
		kvm = file->private_data;
		ret = fields == 4 ? hold_pending(kvm, index, ms) :
				    hold(present_hpte(kvm, index), ms);
	}
	fput(file);
	return ret ?: count;
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.write = hold_write,
	.llseek = noop_llseek,
};

static struct dentry *dir;

static int __init test_init(void)
{
	dir = debugfs_create_dir("kvm-hv-ext-test", NULL);
	debugfs_create_file("hold", 0200, dir, NULL, &hold_fops);
	debugfs_create_atomic_t("held", 0444, dir, &held);
	return 0;
}
module_init(test_init);

static void __exit test_exit(void)
{
	debugfs_remove(dir);
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test of kvm-hv-ext: a thread that sleeps with an HPTE locked");
MODULE_LICENSE("GPL");
