/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A window through which guest code loads and stores with translation on:
 * page after page of guest memory, at addresses of one segment, by bolted
 * entries that never collide with each other. So they are all there after any
 * resize, and what the guest sees through them depends on the host only.
 */
#ifndef SELFTESTS_VIEW_H
#define SELFTESTS_VIEW_H

#include "table.h"

#define VIEW_EA		0x30000000ul
#define VIEW_MAX	2048	/* as many groups as the smallest HPT has */

struct view {
	u64 gpa;
	unsigned int pages;
	unsigned int shift;	/* of a page */
};

struct view view_open(struct table *table, u64 gpa, unsigned int pages);
u64 view_ea(const struct view *view, unsigned int nr);
u64 view_index(const struct view *view, unsigned int nr, unsigned int order);

#endif /* SELFTESTS_VIEW_H */
