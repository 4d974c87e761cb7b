// SPDX-License-Identifier: GPL-2.0
/*
 * What can be seen of a VM's resizes, in KVM's debugfs directory of the VM:
 *
 * hv-ext/hpt_order	log2 of the size of the HPT in bytes
 * hv-ext/state		of the resize in flight
 * hv-ext/strategy	of the next PREPARE
 * hv-ext/counters	"name value" lines, since the VM was made
 * hv-ext/resizes	the last resizes, oldest first
 * hv-ext/guest_stop	how the guest's stop is completed (stop.c)
 * hv-ext/backing	what pages the VM's memory is in
 * hv-ext/balloon	who inhibits ballooning, and memory that went all the same
 *
 * KVM removes the directory before it destroys the VM.
 */
#include <linux/debugfs.h>
#include <linux/kvm_host.h>
#include <linux/seq_file.h>

#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

static const char *const hvx_state_names[] = {
	[HVX_ALLOCATING] = "allocating",
	[HVX_POPULATING] = "populating",
	[HVX_READY] = "ready",
	[HVX_FAILED] = "failed",
};

static const char *const hvx_cancel_names[] = {
	[HVX_CANCEL_GUEST] = "cancelled_guest",
	[HVX_CANCEL_RESET] = "cancelled_reset",
	[HVX_CANCEL_HTAB_FD] = "cancelled_htab_fd",
	[HVX_CANCEL_MIGRATION] = "cancelled_migration",
	[HVX_CANCEL_MEMSLOT] = "cancelled_memslot",
	[HVX_CANCEL_RADIX] = "cancelled_radix",
	[HVX_CANCEL_TIMEOUT] = "cancelled_timeout",
	[HVX_CANCEL_COMMIT] = "cancelled_commit",
	[HVX_CANCEL_DESTROY] = "cancelled_destroy",
};

static int hpt_order_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;
	struct kvm *kvm = vm->kvm;

	seq_printf(m, "%u\n", kvm_is_radix(kvm) ? 0 : kvm->arch.hpt.order);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(hpt_order);

static int state_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;
	struct hvx_resize *rs;

	mutex_lock(&vm->resizer->lock);
	rs = vm->resizer->pending;
	if (rs)
		seq_printf(m, "%s order %u bytes %llu/%llu\n",
			   hvx_state_names[rs->state], rs->order,
			   READ_ONCE(rs->progress.done),
			   READ_ONCE(rs->progress.total));
	else
		seq_puts(m, "idle\n");
	mutex_unlock(&vm->resizer->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int strategy_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;

	seq_printf(m, "%s\n", READ_ONCE(vm->resizer->strategy)->name);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(strategy);

static int counters_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;
	struct hvx_resizer *rz = vm->resizer;
	int i;

	mutex_lock(&rz->lock);
	seq_printf(m, "prepares %llu\n", rz->stats.prepares);
	seq_printf(m, "commits %llu\n", rz->stats.commits);
	seq_printf(m, "commit_failures %llu\n", rz->stats.commit_failures);
	for (i = 0; i < HVX_NR_CANCEL; i++)
		seq_printf(m, "%s %llu\n", hvx_cancel_names[i],
			   rz->stats.cancels[i]);
	seq_printf(m, "harvested %llu\n", rz->stats.harvested);
	mutex_unlock(&rz->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

static int resizes_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;
	struct hvx_resizer *rz = vm->resizer;
	const struct hvx_resize_record *rec;
	unsigned int i;

	seq_puts(m, "# from to strategy road prepare_us commit_us kept dropped\n");
	mutex_lock(&rz->lock);
	i = rz->nr_records > HVX_RECORDS ? rz->nr_records - HVX_RECORDS : 0;
	for (; i < rz->nr_records; i++) {
		rec = &rz->records[i % HVX_RECORDS];
		seq_printf(m, "%u %u %s %s %llu %llu %llu %llu\n",
			   rec->from, rec->to, rec->strategy,
			   rec->origin == HVX_ORIGIN_HCALL ? "hcall" : "ioctl",
			   div_u64(rec->prepare_ns, NSEC_PER_USEC),
			   div_u64(rec->commit_ns, NSEC_PER_USEC),
			   rec->kept, rec->dropped);
	}
	mutex_unlock(&rz->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(resizes);

static int backing_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;

	return hvx_backing_show(m, vm->kvm);
}
DEFINE_SHOW_ATTRIBUTE(backing);

static int balloon_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;

	hvx_memory_balloon_show(m, vm->memory);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(balloon);

/**
 * hvx_debugfs_create() - make a VM's files
 * @vm: the VM, whose own directory exists
 */
void hvx_debugfs_create(struct hvx_vm *vm)
{
	struct dentry *dir;

	dir = debugfs_create_dir("hv-ext", vm->kvm->debugfs_dentry);
	debugfs_create_file("hpt_order", 0444, dir, vm, &hpt_order_fops);
	debugfs_create_file("state", 0444, dir, vm, &state_fops);
	debugfs_create_file("strategy", 0444, dir, vm, &strategy_fops);
	debugfs_create_file("counters", 0444, dir, vm, &counters_fops);
	debugfs_create_file("resizes", 0444, dir, vm, &resizes_fops);
	hvx_stop_debugfs(vm, dir);
	debugfs_create_file("backing", 0444, dir, vm, &backing_fops);
	debugfs_create_file("balloon", 0444, dir, vm, &balloon_fops);
}
