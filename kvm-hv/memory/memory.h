/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The room of a VM's memory: which pages the guest may count on, what is behind them,
 * and that they stay. Others include this header only.
 *
 * limit.h	the largest page that the guest may count on: to choose it, to keep it
 * promise.h	what it is, for all who ask
 * backing.h	what pages the memory is in
 * thp.c	a promise of large pages that is about to break
 * holders.h	who needs the memory to stay
 * watch.h	whether it does
 * balloon.h	to be a holder: a descriptor, or code of this module
 * vfio.c	an assigned device is one
 * logging.h	hcalls that note what the guest has written
 *
 * Within the room limit uses backing and balloon, balloon uses watch, and watch uses
 * thp, holders and backing. All may use promise.
 */
#ifndef KVM_HV_EXT_MEMORY_H
#define KVM_HV_EXT_MEMORY_H

#include "base/base.h"
#include "memory/backing.h"
#include "memory/balloon.h"
#include "memory/holders.h"
#include "memory/limit.h"
#include "memory/logging.h"
#include "memory/promise.h"
#include "memory/watch.h"

/* Those who assign devices to a VM. */
struct hvx_vfio {
	struct mutex lock;		/* setter, and the call that it makes */
	struct task_struct *setter;	/* who is in KVM's function for us */
	struct task_struct *releaser;	/* likewise; kvm->lock is held */
};

/* A VM's. */
struct hvx_memory {
	struct hvx_limit limit;
	struct hvx_holders holders;
	struct hvx_watch watch;
	struct hvx_vfio vfio;
	struct hvx_logging logging;
};

/* memory.c */
int hvx_memory_begin(void);
void hvx_memory_finish(void);
void hvx_memory_init(struct hvx_memory *memory, struct hvx_vm *vm);
void hvx_memory_destroy(struct hvx_memory *memory);
void hvx_memory_balloon_show(struct seq_file *m, struct hvx_memory *memory);

/* vfio.c */
void hvx_vfio_install(void);
void hvx_vfio_remove(void);

#endif /* KVM_HV_EXT_MEMORY_H */
