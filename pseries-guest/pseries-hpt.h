/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pseries-hpt: resize the hash page table (HPT) of a running pseries guest.
 *
 *	main.c		is this a guest that can do it; load and unload
 *	globals.c	the kernel's variables that hold the size of the HPT
 *	lpar.c		one resize: PREPARE, COMMIT, cancel, start again
 *	switch.c	the moment of COMMIT, with all other CPUs stopped
 *	sysfs.c		/sys/kernel/hpt
 */
#ifndef PSERIES_HPT_H
#define PSERIES_HPT_H

#include <linux/types.h>

/* The sizes that the architecture knows, as log2 of bytes. */
enum {
	HPT_ORDER_MIN = 18,
	HPT_ORDER_MAX = 46,
};

enum hpt_state {
	HPT_IDLE,
	HPT_PREPARING,
	HPT_COMMITTING,
};

/**
 * struct hpt_globals - the kernel's own record of the size of the HPT
 * @pft_size: log2 of its size in bytes (``ppc64_pft_size``)
 * @size_bytes: its size in bytes (``htab_size_bytes``)
 *
 * The third, ``htab_hash_mask`` (number of groups - 1), is exported and is
 * named directly. The three are written together, by one CPU while all others
 * are stopped, and so agree whenever anybody can look.
 */
struct hpt_globals {
	u64 *pft_size;
	unsigned long *size_bytes;
};

extern struct hpt_globals hpt_globals;

int hpt_globals_find(void);
unsigned int hpt_order(void);

long hpt_switch(unsigned int order);

int hpt_resize(unsigned int order);
void hpt_resize_stop(void);
enum hpt_state hpt_resize_state(void);
u64 hpt_last_prepare_us(void);
u64 hpt_last_commit_us(void);
unsigned int hpt_timeout_ms(void);
void hpt_set_timeout_ms(unsigned int ms);

int hpt_sysfs_add(void);
void hpt_sysfs_remove(void);
void hpt_sysfs_state_changed(void);

#endif /* PSERIES_HPT_H */
