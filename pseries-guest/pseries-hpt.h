/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pseries-hpt: resize the hash page table (HPT) of a running pseries guest.
 *
 *	main.c		is this a guest that can do it; load and unload
 *	lpar.c		one resize: PREPARE, COMMIT, cancel, start again
 *	hotplug.c	what COMMIT must not come between
 *	sysfs.c		/sys/kernel/hpt
 */
#ifndef PSERIES_HPT_H
#define PSERIES_HPT_H

#include <linux/types.h>

enum hpt_state {
	HPT_IDLE,
	HPT_WAITING,
	HPT_PREPARING,
	HPT_COMMITTING,
};

unsigned int hpt_order(void);
int hpt_resize(unsigned int order);
void hpt_resize_init(void);
void hpt_resize_stop(void);
enum hpt_state hpt_resize_state(void);
u64 hpt_last_prepare_us(void);
u64 hpt_last_commit_us(void);
unsigned int hpt_timeout_ms(void);
void hpt_set_timeout_ms(unsigned int ms);
unsigned int hpt_busy_timeout_ms(void);
void hpt_set_busy_timeout_ms(unsigned int ms);

int hpt_hotplug_watch(void);
void hpt_hotplug_end(void);
void hpt_hotplug_wait(void);

int hpt_sysfs_add(void);
void hpt_sysfs_remove(void);
void hpt_sysfs_state_changed(void);

#endif /* PSERIES_HPT_H */
