// SPDX-License-Identifier: GPL-2.0
/* A window through which guest code loads and stores with translation on. */
#include <unistd.h>

#include "host.h"
#include "view.h"

#define VIEW_VSID	0x5a5a5

/**
 * view_ea() - where the guest finds a page
 * @view: the view, or a copy of it in the guest
 * @nr: number of the page
 *
 * Return: effective address, for guest_load() and guest_store().
 */
u64 view_ea(const struct view *view, unsigned int nr)
{
	return VIEW_EA + ((u64)nr << view->shift);
}

/**
 * view_page() - what is entered in the HPT for a page
 * @view: the view, or a copy of it in the guest
 * @nr: number of the page; beyond those of the view, what another entry for it would be
 *
 * Return: the page.
 */
struct page view_page(const struct view *view, unsigned int nr)
{
	return (struct page){
		.vsid = VIEW_VSID,
		.offset = (u64)nr << view->shift,
		.gpa = view->gpa + ((u64)(nr % view->pages) << view->shift),
		.prot = HPTE_R_RW,
		.base_shift = view->shift,
		.shift = view->shift,
		.bolted = true,
	};
}

/**
 * view_index() - where in the HPT a page's entry is
 * @view: the view, or a copy of it in the guest
 * @nr: number of the page
 * @order: of the HPT
 *
 * Return: index for hcalls.
 */
u64 view_index(const struct view *view, unsigned int nr, unsigned int order)
{
	struct page page = view_page(view, nr);

	return hash_group(page_hash(&page), false, order) * HPTES_PER_GROUP +
	       VIEW_SLOT;
}

/**
 * view_open_times() - map guest memory into the view's segment
 * @table: the VM, its vCPUs idle; the oracle learns of the entries
 * @gpa: first guest address, a multiple of the host's page size
 * @pages: how many of the host's pages
 * @times: how often each; all together VIEW_MAX at most
 *
 * Return: the view.
 */
struct view view_open_times(struct table *table, u64 gpa, unsigned int pages,
			    unsigned int times)
{
	struct view view = {
		.gpa = gpa,
		.pages = pages,
		.times = times,
		.shift = __builtin_ctzl(sysconf(_SC_PAGESIZE)),
	};
	const u64 slbe = VIEW_EA | SLBE_V;
	const u64 slbv = slb_vsid(VIEW_VSID, view.shift, false);
	unsigned int i;

	for (i = 0; i < table->vm->nr_vcpus; i++)
		vcpu_set_slb(&table->vm->vcpu[i], 1, &slbe, &slbv);
	for (i = 0; i < pages * times; i++) {
		struct page page = view_page(&view, i);
		u64 index = VIEW_SLOT;
		long ret = table_enter(table, &page, H_EXACT, &index);

		if (ret)
			die("H_ENTER of page %u of a view: %ld", i, ret);
	}
	return view;
}

/**
 * view_open() - map guest memory into the view's segment, each page once
 * @table: the VM, its vCPUs idle; the oracle learns of the entries
 * @gpa: first guest address, a multiple of the host's page size
 * @pages: how many of the host's pages, VIEW_MAX at most
 *
 * Return: the view.
 */
struct view view_open(struct table *table, u64 gpa, unsigned int pages)
{
	return view_open_times(table, gpa, pages, 1);
}
