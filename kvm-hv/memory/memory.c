// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's memory: its parts, from the VM's beginning to its end.
 */
#include <linux/kvm_host.h>

#include "base/base.h"
#include "memory/memory.h"

/**
 * hvx_memory_begin() - when the module is loaded
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init hvx_memory_begin(void)
{
	hvx_watch_wq = alloc_workqueue("kvm-hv-ext-watch", WQ_UNBOUND, 0);
	return hvx_watch_wq ? 0 : -ENOMEM;
}

/**
 * hvx_memory_finish() - when it is unloaded, and no VM is left
 *
 * Context: may sleep.
 */
void hvx_memory_finish(void)
{
	destroy_workqueue(hvx_watch_wq);
}

/**
 * hvx_memory_init() - what a new VM has of this room
 * @memory: zeroed
 * @vm: the VM
 */
void hvx_memory_init(struct hvx_memory *memory, struct hvx_vm *vm)
{
	hvx_limit_init(&memory->limit);
	hvx_holders_init(&memory->holders);
	hvx_watch_init(&memory->watch, vm);
	mutex_init(&memory->vfio.lock);
}

/**
 * hvx_memory_destroy() - for a VM that goes away
 * @memory: the VM's; no descriptor holds it, for they hold the VM
 *
 * Context: may sleep.
 */
void hvx_memory_destroy(struct hvx_memory *memory)
{
	hvx_watch_end(&memory->watch);
	hvx_holders_destroy(&memory->holders);
}

/**
 * hvx_memory_balloon_show() - print holders and violations, as "name value" lines
 * @m: where
 * @memory: the VM's
 */
void hvx_memory_balloon_show(struct seq_file *m, struct hvx_memory *memory)
{
	hvx_holders_show(m, &memory->holders);
	hvx_watch_show(m, &memory->watch);
}
