/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who needs a VM's memory to stay where it is: how many of whom.
 */
#ifndef KVM_HV_EXT_HOLDERS_H
#define KVM_HV_EXT_HOLDERS_H

#include <linux/spinlock.h>
#include <linux/types.h>

struct eventfd_ctx;
struct seq_file;

/* Who may be a holder; each may hold many times. */
enum hvx_holder {
	HVX_HOLDER_FD,		/* a descriptor of KVM_PPC_BALLOON_INHIBIT */
	HVX_HOLDER_PROMISE,	/* pages above the host's base size */
	HVX_HOLDER_RESIZE,
	HVX_HOLDER_VFIO,
	HVX_NR_HOLDERS
};

struct hvx_holders {
	spinlock_t lock;		/* what follows */
	unsigned int count[HVX_NR_HOLDERS];
	unsigned int total;
	struct eventfd_ctx *eventfd;	/* told of the first and of the last one */
};

void hvx_holders_init(struct hvx_holders *h);
void hvx_holders_destroy(struct hvx_holders *h);
void hvx_holders_add(struct hvx_holders *h, enum hvx_holder who, int by);
unsigned int hvx_holders_total(const struct hvx_holders *h);
bool hvx_holders_promised(struct hvx_holders *h);
int hvx_holders_notify(struct hvx_holders *h, int fd);
void hvx_holders_show(struct seq_file *m, struct hvx_holders *h);

#endif /* KVM_HV_EXT_HOLDERS_H */
