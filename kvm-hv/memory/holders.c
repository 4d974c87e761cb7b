// SPDX-License-Identifier: GPL-2.0
/*
 * Who needs a VM's memory to stay where it is: how many of whom, and the eventfd that is
 * told (balloon.c).
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/minmax.h>
#include <linux/seq_file.h>

#include "base/base.h"
#include "memory/holders.h"

/**
 * hvx_holders_init() - the holders of a new VM: none
 * @h: zeroed
 */
void hvx_holders_init(struct hvx_holders *h)
{
	spin_lock_init(&h->lock);
}

/**
 * hvx_holders_destroy() - the opposite
 * @h: of a VM that goes away
 */
void hvx_holders_destroy(struct hvx_holders *h)
{
	if (h->eventfd)
		eventfd_ctx_put(h->eventfd);
	h->eventfd = NULL;
}

/**
 * hvx_holders_add() - count holders in or out
 * @h: the VM's
 * @who: of which kind
 * @by: how many more, or less
 *
 * The count does not go below 0. The eventfd is signalled for the first and for the last.
 *
 * Context: any.
 */
void hvx_holders_add(struct hvx_holders *h, enum hvx_holder who, int by)
{
	spin_lock(&h->lock);
	by = max(by, -(int)h->count[who]);
	h->count[who] += by;
	WRITE_ONCE(h->total, h->total + by);
	if (by && h->total == max(by, 0) && h->eventfd)
		hvx_eventfd_signal(h->eventfd);
	spin_unlock(&h->lock);
}

/**
 * hvx_holders_total() - how many holders there are
 * @h: the VM's
 *
 * Return: the number, 0 if the balloon may be used.
 */
unsigned int hvx_holders_total(const struct hvx_holders *h)
{
	return READ_ONCE(h->total);
}

/**
 * hvx_holders_promised() - whether memory that goes breaks a promise
 * @h: the VM's
 *
 * A resize does not count. The guest asks for it, and the VMM need not know. If memory
 * goes meanwhile the resize only does some work twice.
 *
 * Return: true if there are holders that are no resizes.
 */
bool hvx_holders_promised(struct hvx_holders *h)
{
	bool promised;

	spin_lock(&h->lock);
	promised = h->total > h->count[HVX_HOLDER_RESIZE];
	spin_unlock(&h->lock);
	return promised;
}

/**
 * hvx_holders_notify() - choose the eventfd that is told
 * @h: the VM's
 * @fd: the eventfd, or -1 for none
 *
 * Context: may sleep.
 * Return: 0, or what is wrong with @fd.
 */
int hvx_holders_notify(struct hvx_holders *h, int fd)
{
	struct eventfd_ctx *ctx = NULL;

	if (fd != -1) {
		ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	spin_lock(&h->lock);
	swap(h->eventfd, ctx);
	spin_unlock(&h->lock);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

/**
 * hvx_holders_show() - print how many there are, as "name value" lines
 * @m: where
 * @h: the VM's
 */
void hvx_holders_show(struct seq_file *m, struct hvx_holders *h)
{
	static const char *const names[HVX_NR_HOLDERS] = {
		[HVX_HOLDER_FD] = "fd",
		[HVX_HOLDER_PROMISE] = "promise",
		[HVX_HOLDER_RESIZE] = "resize",
		[HVX_HOLDER_VFIO] = "vfio",
	};
	int i;

	spin_lock(&h->lock);
	for (i = 0; i < HVX_NR_HOLDERS; i++)
		seq_printf(m, "%s %u\n", names[i], h->count[i]);
	spin_unlock(&h->lock);
}
