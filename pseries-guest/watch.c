// SPDX-License-Identifier: GPL-2.0
/*
 * Who has to know that the HPT has another size, whoever changed it: this driver, memory
 * hotplug or the kernel's file in debugfs.
 *
 * The other two are noticed by a probe on the return of the kernel's resizer, which they
 * all go through. A kernel without return probes has none of it; what it did is
 * then told at the next resize of ours.
 *
 * A CPU that is plugged in brings a node with the order of the moment when the kernel
 * asked the hypervisor for it. If the HPT has been resized since, the nodes do not agree,
 * until a notifier of the device tree has had it looked at again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/ptrace.h>
#include <linux/workqueue.h>

#include "pseries-hpt.h"
#include "return_probe.h"

/* Covers "told" and the device tree's order: changes are told one after the other. */
static DEFINE_MUTEX(tell_lock);
static unsigned int told;

/*
 * Events of the kernel have to come from a device. It has no driver. Covered by tell_lock;
 * NULL while nobody is told.
 */
static struct platform_device *device;

static void send_event(unsigned int order)
{
	char text[24];
	char *environment[2] = { };

	environment[0] = text;
	snprintf(text, sizeof(text), "HPT_ORDER=%u", order);
	kobject_uevent_env(&device->dev.kobj, KOBJ_CHANGE, environment);
}

/**
 * hpt_watch_tell() - tell everybody who has to know, if the order is not what it was
 *
 * The device tree comes first: who hears of it may load a kernel for kexec.
 *
 * Context: process context, sleeps; not under cpus_read_lock().
 */
void hpt_watch_tell(void)
{
	unsigned int order;
	bool tree;

	mutex_lock(&tell_lock);
	/* For a CPU that comes the kernel may copy the tree into an image (kexec.c). */
	cpus_read_lock();
	order = hpt_order();
	tree = device && order != hpt_devtree_order();
	if (tree) {
		hpt_kexec_order_changes();
		hpt_devtree_set(order);
		hpt_kexec_order_changed();
	}
	cpus_read_unlock();
	/* What was loaded while only the tree was wrong has to be loaded again, too. */
	if (tree || (device && order != told)) {
		told = order;
		hpt_sysfs_order_changed();
		send_event(order);
	}
	mutex_unlock(&tell_lock);
}

/*
 * Not in the middle of a COMMIT of ours: lpar.c tells when it has written down how long that
 * took, which is what those who hear of it may read. And once more when COMMIT is over, for
 * what came since.
 */
static void tell(struct work_struct *work)
{
	if (hpt_resize_state() != HPT_COMMITTING)
		hpt_watch_tell();
}

static DECLARE_WORK(tell_work, tell);

static int resizer_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	schedule_work(&tell_work);
	return 0;
}

static struct return_probe resizer_probe = {
	.probe.kp.symbol_name = "pseries_lpar_resize_hpt",
	.probe.handler = resizer_ends,
};

static int node_changes(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == OF_RECONFIG_ATTACH_NODE)
		schedule_work(&tell_work);
	return NOTIFY_DONE;
}

static struct notifier_block node_notifier = {
	.notifier_call = node_changes,
};

static void probe_begin(void)
{
	int ret = return_probe_register(&resizer_probe);

	if (ret)
		pr_info("resizes by memory hotplug are not noticed (error %d)\n", ret);
}

/**
 * hpt_watch_begin() - from now on changes of the order are told
 *
 * So is what has changed since boot. After hpt_sysfs_add().
 *
 * Context: process context, sleeps.
 * Return: 0 or a negative errno.
 */
int hpt_watch_begin(void)
{
	struct platform_device *new;

	new = platform_device_register_simple("pseries-hpt", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(new))
		return PTR_ERR(new);

	mutex_lock(&tell_lock);
	told = hpt_devtree_order();
	device = new;
	mutex_unlock(&tell_lock);
	of_reconfig_notifier_register(&node_notifier);
	probe_begin();
	hpt_watch_tell();
	return 0;
}

/**
 * hpt_watch_end() - no longer
 *
 * What has changed by now is told. The device tree is left as it is. After
 * hpt_resize_end(), and before hpt_sysfs_remove().
 *
 * Context: process context, sleeps.
 */
void hpt_watch_end(void)
{
	struct platform_device *old;

	return_probe_unregister(&resizer_probe);
	of_reconfig_notifier_unregister(&node_notifier);
	flush_work(&tell_work);
	mutex_lock(&tell_lock);
	old = device;
	device = NULL;
	mutex_unlock(&tell_lock);
	platform_device_unregister(old);
}
