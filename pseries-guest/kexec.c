// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel that was loaded for kexec before a resize.
 *
 * It was given the order that the device tree had when it was loaded, and cannot live
 * with another: it would not get as far as its first message. So it must not be started
 * at another order:
 *
 *	kexec -e	Reboot notifiers run before, and may sleep: the HPT gets back the
 *			order that the image knows. If that fails, the machine is
 *			restarted instead.
 *	a crash		Nothing can be resized any more, as that takes the help of other
 *			CPUs. The machine is restarted instead, and says why.
 *
 * What is loaded in a resize's wake is right, as the device tree changes with the order.
 * But kexec-tools read that before they load: an image whose loader had begun before the
 * last change counts as one of an unknown order.
 *
 * When a CPU comes, a kernel with CONFIG_CRASH_HOTPLUG may give the crash kernel's image the
 * CPUs' nodes of the device tree anew, and with them the order of now. It does so for some
 * images only, and which they are is not for modules. If the image has had another order, it
 * has an unknown one from then on.
 *
 * Which images there are the kernel does not tell modules: they are noted by probes on
 * the functions that prepare one and free one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/ptrace.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include <asm/hvcall.h>
#include <asm/kexec.h>

#include "entry_probe.h"
#include "pseries-hpt.h"

/* An order that is never in force. */
#define UNKNOWN		0

/* The longest message, in bytes. */
#define MESSAGE		160

struct image {
	/* To compare with only. NULL: loaded before this module, if at all. */
	const void *id;
	unsigned int order;
	bool there;
};

/* A new image is prepared before the one that it replaces is freed, or is freed itself. */
struct images {
	struct image last, before;
};

/* Covers images, tree_order and tree_changed; taken in probes. */
static DEFINE_RAW_SPINLOCK(images_lock);
static struct images images[2];
static unsigned int tree_order;
static u64 tree_changed;

static bool watching, watching_crash;

static unsigned int order_of_loaded(void)
{
	return current->start_boottime > tree_changed ? tree_order : UNKNOWN;
}

static int image_prepared(struct kprobe *kp, struct pt_regs *regs)
{
	const struct kimage *kimage = (const void *)regs->gpr[3];
	struct images *of_type = &images[kimage->type == KEXEC_TYPE_CRASH];
	unsigned long flags;

	raw_spin_lock_irqsave(&images_lock, flags);
	of_type->before = of_type->last;
	of_type->last = (struct image) {
		.id = kimage,
		.order = order_of_loaded(),
		.there = true,
	};
	raw_spin_unlock_irqrestore(&images_lock, flags);
	return 0;
}

static void forget(struct images *of_type, const void *id)
{
	if (of_type->last.id == id) {
		of_type->last = of_type->before;
		of_type->before.there = false;
		of_type->before.id = NULL;
	} else if (of_type->before.id == id) {
		of_type->before.there = false;
		of_type->before.id = NULL;
	}
}

static void images_changed(struct work_struct *work)
{
	hpt_sysfs_images_changed();
}

static DECLARE_WORK(images_work, images_changed);

/* Each load ends with this, too, if only to free nothing. */
static int image_freed(struct kprobe *kp, struct pt_regs *regs)
{
	const struct kimage *kimage = (const void *)regs->gpr[3];
	struct images *of_type;
	unsigned long flags;

	if (kimage) {
		of_type = &images[kimage->type == KEXEC_TYPE_CRASH];
		raw_spin_lock_irqsave(&images_lock, flags);
		/* One that was there before us is not known by its address. */
		if (of_type->last.id != kimage && of_type->before.id != kimage)
			kimage = NULL;
		forget(of_type, kimage);
		raw_spin_unlock_irqrestore(&images_lock, flags);
	}
	/* Not before: who is woken by it reads what there is now. */
	schedule_work(&images_work);
	return 0;
}

static struct kprobe prepared_probe = {
	.symbol_name = "machine_kexec_prepare",
	.pre_handler = image_prepared,
};

static struct kprobe freed_probe = {
	.symbol_name = "kimage_free",
	.pre_handler = image_freed,
};

static struct kprobe *probes[] = { &prepared_probe, &freed_probe };

static struct image loaded_image(int type)
{
	unsigned long flags;
	struct image image;

	raw_spin_lock_irqsave(&images_lock, flags);
	image = images[type].last;
	raw_spin_unlock_irqrestore(&images_lock, flags);
	return image;
}

/**
 * hpt_kexec_image() - whether a loaded image fits the HPT
 * @crash: the one for a crash
 *
 * Context: any.
 * Return: HPT_IMAGE_NONE, HPT_IMAGE_CURRENT, HPT_IMAGE_STALE, or HPT_IMAGE_UNKNOWN if the
 * kernel does not let us watch. Of an image that was loaded before this module, which may
 * not exist, it is taken for granted that it has the order the device tree had then.
 */
enum hpt_image hpt_kexec_image(bool crash)
{
	struct image image = loaded_image(crash);

	if (!watching)
		return HPT_IMAGE_UNKNOWN;
	if (!image.there || (crash && !kexec_crash_loaded()))
		return HPT_IMAGE_NONE;
	return image.order == hpt_order() ? HPT_IMAGE_CURRENT : HPT_IMAGE_STALE;
}

static void set_tree_order(unsigned int order)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&images_lock, flags);
	tree_order = order;
	tree_changed = ktime_get_boottime_ns();
	raw_spin_unlock_irqrestore(&images_lock, flags);
}

/**
 * hpt_kexec_order_changes() - of what is loaded from now on the order is not known
 *
 * To be called before the first node of the device tree is changed.
 *
 * Context: process context, may sleep.
 */
void hpt_kexec_order_changes(void)
{
	set_tree_order(UNKNOWN);
}

/**
 * hpt_kexec_order_changed() - what is loaded from now on has another order
 *
 * To be called when the device tree says so.
 *
 * Context: process context, may sleep.
 */
void hpt_kexec_order_changed(void)
{
	set_tree_order(hpt_devtree_order());
}

/* What happens instead. */
static void explain(char *text, size_t size, const char *what, unsigned int order)
{
	if (order)
		snprintf(text, size,
			 "%s was loaded when the HPT had order %u, not %u, and cannot run: restarting instead",
			 what, order, hpt_order());
	else
		snprintf(text, size,
			 "%s was loaded or updated while the HPT was resized, and may not be able to run: restarting instead",
			 what);
}

/*
 * In a crash the kernel only puts messages into its log, for a later that does not come.
 * Console 0 is the partition's own, if it has one. A hypervisor that is busy with it
 * gets a second to take 16 bytes.
 */
static void show(const char *text)
{
	unsigned long words[2];
	size_t len, left = strlen(text);
	int tries;

	for (; left; left -= len, text += len) {
		len = min(left, sizeof(words));
		memset(words, 0, sizeof(words));
		memcpy(words, text, len);
		for (tries = 0; tries < 1000; tries++) {
			if (plpar_hcall_norets(H_PUT_TERM_CHAR, 0, len,
					       be64_to_cpu((__force __be64)words[0]),
					       be64_to_cpu((__force __be64)words[1])) !=
			    H_BUSY)
				break;
			mdelay(1);
		}
	}
}

static int kexec_begins(struct notifier_block *nb, unsigned long action, void *command)
{
	struct image image;
	char text[MESSAGE];
	int ret;

	if (action != SYS_RESTART || !command || strcmp(command, "kexec reboot"))
		return NOTIFY_DONE;

	image = loaded_image(KEXEC_TYPE_DEFAULT);
	ret = hpt_resize_last(image.order);
	if (!ret)
		return NOTIFY_DONE;

	explain(text, sizeof(text), "the kernel for kexec", image.order);
	pr_emerg("%s\n", text);
	pr_emerg("the way back to that order failed with error %d\n", ret);
	emergency_restart();
	return NOTIFY_DONE;
}

/* Before others, which may take away what a resize needs. */
static struct notifier_block reboot_notifier = {
	.notifier_call = kexec_begins,
	.priority = INT_MAX,
};

/* All other CPUs are stopped, and a fault in here is caught. */
static void crash_begins(void)
{
	unsigned int order = READ_ONCE(images[1].last.order);
	static char text[MESSAGE];

	if (order == hpt_order())
		return;

	explain(text, sizeof(text), "the crash kernel", order);
	show(KBUILD_MODNAME ": ");
	show(text);
	show("\r\n");
	pr_emerg("%s\n", text);
	emergency_restart();
}

/*
 * The kernel's own callback is in the same group: whichever is first, the order in the device
 * tree does not change between them, as watch.c changes it with no CPU coming or going. The
 * group is run before the CPU is started, which may fail afterwards.
 */
static int cpu_comes(unsigned int cpu)
{
	struct images *crash = &images[KEXEC_TYPE_CRASH];
	unsigned int order = hpt_devtree_order();
	unsigned long flags;

	raw_spin_lock_irqsave(&images_lock, flags);
	if (crash->last.order != order)
		crash->last.order = UNKNOWN;
	if (crash->before.order != order)
		crash->before.order = UNKNOWN;
	raw_spin_unlock_irqrestore(&images_lock, flags);
	return 0;
}

/* Registered or, if that is negative, not. */
static int cpu_state = -ENOENT;

/**
 * hpt_kexec_watch() - from now on images of another order are not started
 *
 * After hpt_sysfs_add(), and before hpt_watch_begin(): what is loaded already has the
 * order of the device tree.
 *
 * Context: process context, sleeps.
 */
void hpt_kexec_watch(void)
{
	unsigned int order = hpt_devtree_order();
	int i, ret;

	tree_order = order;
	for (i = 0; i < ARRAY_SIZE(images); i++)
		images[i].last = (struct image) { .order = order, .there = true };

	ret = entry_probes_register(probes, ARRAY_SIZE(probes));
	if (ret) {
		pr_info("kernels loaded for kexec are not watched (error %d): load them again after each resize\n",
			ret);
		return;
	}
	watching = true;
	if (IS_ENABLED(CONFIG_CRASH_HOTPLUG)) {
		cpu_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
						      "pseries-hpt:prepare", cpu_comes, NULL);
		if (cpu_state < 0)
			pr_info("CPUs that come are not noticed (error %d): load the crash kernel again after each resize\n",
				cpu_state);
	}
	register_reboot_notifier(&reboot_notifier);
	watching_crash = !crash_shutdown_register(crash_begins);
	if (!watching_crash)
		pr_info("no room for a look at the crash kernel: load it again after each resize\n");
}

/**
 * hpt_kexec_end() - no longer
 *
 * Before hpt_sysfs_remove().
 *
 * Context: process context, sleeps.
 */
void hpt_kexec_end(void)
{
	if (!watching)
		return;
	if (watching_crash)
		crash_shutdown_unregister(crash_begins);
	unregister_reboot_notifier(&reboot_notifier);
	if (cpu_state >= 0)
		cpuhp_remove_state_nocalls(cpu_state);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
	cancel_work_sync(&images_work);
}
