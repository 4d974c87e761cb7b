// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/hpt, as documented in Documentation/ABI/testing/sysfs-kernel-hpt.
 *
 * Numbers are decimal only: "024" is what somebody means to be 24, not 20.
 * Whatever is no number, or is one too many, is EINVAL.
 */
#include <linux/capability.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "pseries-hpt.h"

static struct kobject *hpt_kobj;

static const char * const state_names[] = {
	[HPT_IDLE] = "idle",
	[HPT_WAITING] = "waiting",
	[HPT_PREPARING] = "preparing",
	[HPT_COMMITTING] = "committing",
};

/*
 * What the files' mode keeps out is whoever is not root. A container's root is uid 0
 * as well.
 */
static bool may_write(void)
{
	return capable(CAP_SYS_ADMIN);
}

static ssize_t order_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%u\n", hpt_order());
}

static ssize_t order_store(struct kobject *kobj, struct kobj_attribute *attr,
			   const char *buf, size_t count)
{
	unsigned int order;
	int ret;

	if (!may_write())
		return -EPERM;
	if (kstrtouint(buf, 10, &order))
		return -EINVAL;

	ret = hpt_resize(order);

	return ret ? ret : count;
}

static struct kobj_attribute order_attr = __ATTR_RW(order);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n", state_names[hpt_resize_state()]);
}

static struct kobj_attribute state_attr = __ATTR_RO(state);

/* A number of milliseconds, which is not 0. */
static int parse_ms(const char *buf, unsigned int *ms)
{
	if (!may_write())
		return -EPERM;

	return kstrtouint(buf, 10, ms) || !*ms ? -EINVAL : 0;
}

static ssize_t timeout_ms_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", hpt_timeout_ms());
}

static ssize_t timeout_ms_store(struct kobject *kobj,
				struct kobj_attribute *attr,
				const char *buf, size_t count)
{
	unsigned int ms;
	int ret = parse_ms(buf, &ms);

	if (ret)
		return ret;

	hpt_set_timeout_ms(ms);

	return count;
}

static struct kobj_attribute timeout_ms_attr = __ATTR_RW(timeout_ms);

static ssize_t busy_timeout_ms_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", hpt_busy_timeout_ms());
}

static ssize_t busy_timeout_ms_store(struct kobject *kobj,
				     struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	unsigned int ms;
	int ret = parse_ms(buf, &ms);

	if (ret)
		return ret;

	hpt_set_busy_timeout_ms(ms);

	return count;
}

static struct kobj_attribute busy_timeout_ms_attr = __ATTR_RW(busy_timeout_ms);

static ssize_t last_prepare_us_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", hpt_last_prepare_us());
}

static struct kobj_attribute last_prepare_us_attr = __ATTR_RO(last_prepare_us);

static ssize_t last_commit_us_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", hpt_last_commit_us());
}

static struct kobj_attribute last_commit_us_attr = __ATTR_RO(last_commit_us);

static ssize_t progress_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct hpt_progress now = hpt_resize_progress();

	if (!now.order)
		return 0;
	return sysfs_emit(buf, "order %u\nelapsed_ms %llu\nhint_ms %u\n", now.order,
			  now.elapsed_ms, now.hint_ms);
}

static struct kobj_attribute progress_attr = __ATTR_RO(progress);

static const char * const image_names[] = {
	[HPT_IMAGE_NONE] = "none",
	[HPT_IMAGE_CURRENT] = "current",
	[HPT_IMAGE_STALE] = "stale",
	[HPT_IMAGE_UNKNOWN] = "unknown",
};

static ssize_t kexec_image_show(struct kobject *kobj, struct kobj_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%s\n", image_names[hpt_kexec_image(false)]);
}

static struct kobj_attribute kexec_image_attr = __ATTR_RO(kexec_image);

static ssize_t kexec_crash_image_show(struct kobject *kobj,
				      struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", image_names[hpt_kexec_image(true)]);
}

static struct kobj_attribute kexec_crash_image_attr = __ATTR_RO(kexec_crash_image);

static struct attribute *hpt_attrs[] = {
	&order_attr.attr,
	&state_attr.attr,
	&progress_attr.attr,
	&kexec_image_attr.attr,
	&kexec_crash_image_attr.attr,
	&timeout_ms_attr.attr,
	&busy_timeout_ms_attr.attr,
	&last_prepare_us_attr.attr,
	&last_commit_us_attr.attr,
	NULL
};

static const struct attribute_group hpt_group = {
	.attrs = hpt_attrs,
};

/* The files that can be polled. */
static const char * const polled[] = {
	"order", "state", "progress", "last_prepare_us", "last_commit_us", "kexec_image",
	"kexec_crash_image",
};

/**
 * hpt_sysfs_add() - create /sys/kernel/hpt
 *
 * From here on a resize may be asked for.
 *
 * Context: process context, may sleep.
 * Return: 0 or a negative errno.
 */
int hpt_sysfs_add(void)
{
	int ret;

	hpt_kobj = kobject_create_and_add("hpt", kernel_kobj);
	if (!hpt_kobj)
		return -ENOMEM;

	ret = sysfs_create_group(hpt_kobj, &hpt_group);
	if (ret)
		kobject_put(hpt_kobj);

	return ret;
}

/**
 * hpt_sysfs_remove() - remove /sys/kernel/hpt
 *
 * Waits for reads and writes that are under way, and wakes those who poll().
 *
 * Context: process context, sleeps.
 */
void hpt_sysfs_remove(void)
{
	struct kernfs_node *files[ARRAY_SIZE(polled)];
	int i;

	for (i = 0; i < ARRAY_SIZE(polled); i++)
		files[i] = sysfs_get_dirent(hpt_kobj->sd, polled[i]);
	sysfs_remove_group(hpt_kobj, &hpt_group);
	/* Not before: who looks again and goes back to sleep would not be woken. */
	for (i = 0; i < ARRAY_SIZE(polled); i++) {
		if (!files[i])
			continue;
		sysfs_notify_dirent(files[i]);
		sysfs_put(files[i]);
	}
	kobject_put(hpt_kobj);
}

/**
 * hpt_sysfs_state_changed() - wake those who poll() the state file
 *
 * Context: process context, may sleep.
 */
void hpt_sysfs_state_changed(void)
{
	sysfs_notify(hpt_kobj, NULL, "state");
}

/**
 * hpt_sysfs_progress() - wake those who poll() the progress file
 *
 * Context: process context, may sleep.
 */
void hpt_sysfs_progress(void)
{
	sysfs_notify(hpt_kobj, NULL, "progress");
}

/**
 * hpt_sysfs_order_changed() - wake those who poll() a file that depends on the order
 *
 * Context: process context, may sleep.
 */
void hpt_sysfs_order_changed(void)
{
	sysfs_notify(hpt_kobj, NULL, "order");
	hpt_sysfs_images_changed();
}

/**
 * hpt_sysfs_resized() - wake those who poll() for the times of a resize
 *
 * Context: process context, may sleep.
 */
void hpt_sysfs_resized(void)
{
	sysfs_notify(hpt_kobj, NULL, "last_prepare_us");
	sysfs_notify(hpt_kobj, NULL, "last_commit_us");
}

/**
 * hpt_sysfs_images_changed() - wake those who poll() the files on loaded kernels
 *
 * Context: process context, may sleep.
 */
void hpt_sysfs_images_changed(void)
{
	sysfs_notify(hpt_kobj, NULL, "kexec_image");
	sysfs_notify(hpt_kobj, NULL, "kexec_crash_image");
}
