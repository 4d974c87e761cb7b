/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pseries-hpt: resize the hash page table (HPT) of a running pseries guest.
 *
 *	main.c		is this a guest that can do it; load and unload
 *	lpar.c		one resize: PREPARE, COMMIT, cancel, start again
 *	hotplug.c	what COMMIT must not come between
 *	traced.c	whether it would be traced
 *	watch.c		who has to know that the order has changed
 *	devtree.c	the order in the device tree
 *	kexec.c		kernels that were loaded at another order
 *	sysfs.c		/sys/kernel/hpt
 */
#ifndef PSERIES_HPT_H
#define PSERIES_HPT_H

#include <linux/kconfig.h>
#include <linux/types.h>

enum hpt_state {
	HPT_IDLE,
	HPT_WAITING,
	HPT_PREPARING,
	HPT_COMMITTING,
};

enum hpt_image {
	HPT_IMAGE_NONE,
	HPT_IMAGE_CURRENT,
	HPT_IMAGE_STALE,
	HPT_IMAGE_UNKNOWN,
};

/**
 * struct hpt_progress - how far a resize is
 * @order: the new order; 0 if there is no resize
 * @elapsed_ms: since the hypervisor began to prepare
 * @hint_ms: what the hypervisor's last answer advised to wait; 0 if it put us off
 */
struct hpt_progress {
	unsigned int order;
	u64 elapsed_ms;
	unsigned int hint_ms;
};

unsigned int hpt_order(void);
int hpt_resize(unsigned int order);
int hpt_resize_last(unsigned int order);
struct hpt_progress hpt_resize_progress(void);
void hpt_resize_end(void);
enum hpt_state hpt_resize_state(void);
u64 hpt_last_prepare_us(void);
u64 hpt_last_commit_us(void);
unsigned int hpt_timeout_ms(void);
void hpt_set_timeout_ms(unsigned int ms);
unsigned int hpt_busy_timeout_ms(void);
void hpt_set_busy_timeout_ms(unsigned int ms);

void hpt_traced_init(void);
bool hpt_traced(void);

int hpt_hotplug_watch(void);
void hpt_hotplug_end(void);
void hpt_hotplug_wait(void);

int hpt_watch_begin(void);
void hpt_watch_end(void);
void hpt_watch_tell(void);

unsigned int hpt_devtree_order(void);
void hpt_devtree_set(unsigned int order);

#if IS_ENABLED(CONFIG_KEXEC_CORE) && IS_ENABLED(CONFIG_CRASH_DUMP)
void hpt_kexec_watch(void);
void hpt_kexec_end(void);
void hpt_kexec_order_changes(void);
void hpt_kexec_order_changed(void);
enum hpt_image hpt_kexec_image(bool crash);
#else
static inline void hpt_kexec_watch(void) { }
static inline void hpt_kexec_end(void) { }
static inline void hpt_kexec_order_changes(void) { }
static inline void hpt_kexec_order_changed(void) { }
static inline enum hpt_image hpt_kexec_image(bool crash)
{
	return HPT_IMAGE_UNKNOWN;
}
#endif

int hpt_sysfs_add(void);
void hpt_sysfs_remove(void);
void hpt_sysfs_state_changed(void);
void hpt_sysfs_progress(void);
void hpt_sysfs_order_changed(void);
void hpt_sysfs_resized(void);
void hpt_sysfs_images_changed(void);

#endif /* PSERIES_HPT_H */
