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
#define VIEW_SLOT	3	/* of each of its entries, in the group */

struct view {
	u64 gpa;
	unsigned int pages;	/* of guest memory */
	unsigned int times;	/* that each is in the view: page n as n + pages, too */
	unsigned int shift;	/* of a page */
};

struct view view_open(struct table *table, u64 gpa, unsigned int pages);
struct view view_open_times(struct table *table, u64 gpa, unsigned int pages,
			    unsigned int times);
struct page view_page(const struct view *view, unsigned int nr);
u64 view_ea(const struct view *view, unsigned int nr);
u64 view_index(const struct view *view, unsigned int nr, unsigned int order);

#endif /* SELFTESTS_VIEW_H */
