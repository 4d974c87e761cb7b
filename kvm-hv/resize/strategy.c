// SPDX-License-Identifier: GPL-2.0
/*
 * Which strategies there are, and which one a VM's next resize gets: the one that
 * its VMM has chosen, or else the default when the VM was made; and if that cannot
 * do the resize, the copy, which can do any.
 */
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "resize/resize.h"

static const struct hvx_strategy *const hvx_strategies[] = {
	&hvx_mirror_strategy,
	&hvx_copy_strategy,
};

static const struct hvx_strategy *hvx_default_strategy = &hvx_mirror_strategy;

static const struct hvx_strategy *hvx_strategy_named(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_strategies); i++) {
		if (sysfs_streq(name, hvx_strategies[i]->name))
			return hvx_strategies[i];
	}
	return NULL;
}

/**
 * hvx_strategy_parse() - the strategy of a name
 * @name: as in the module's parameter
 *
 * Return: one of KVM_PPC_HPT_RESIZE_*, or -EINVAL.
 */
int hvx_strategy_parse(const char *name)
{
	const struct hvx_strategy *strategy = hvx_strategy_named(name);

	return strategy ? strategy->id : -EINVAL;
}

static int hvx_strategy_set(const char *val, const struct kernel_param *kp)
{
	const struct hvx_strategy *strategy = hvx_strategy_named(val);

	if (!strategy)
		return -EINVAL;
	WRITE_ONCE(hvx_default_strategy, strategy);
	return 0;
}

static int hvx_strategy_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", READ_ONCE(hvx_default_strategy)->name);
}

static const struct kernel_param_ops hvx_strategy_ops = {
	.set = hvx_strategy_set,
	.get = hvx_strategy_get,
};

module_param_cb(resize_strategy, &hvx_strategy_ops, NULL, 0644);
MODULE_PARM_DESC(resize_strategy,
		 "How new VMs resize their HPT: mirror (COMMIT only switches) or copy (COMMIT copies the bolted entries)");

/**
 * hvx_strategy_mask() - which strategies there are
 *
 * Return: a mask of KVM_PPC_HPT_RESIZE_*.
 */
u32 hvx_strategy_mask(void)
{
	u32 mask = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_strategies); i++)
		mask |= hvx_strategies[i]->id;
	return mask;
}

/**
 * hvx_strategy_choose() - choose the strategy of the next PREPARE
 * @vm: the VM
 * @id: one of KVM_PPC_HPT_RESIZE_*
 *
 * Context: any. No lock is taken: a PREPARE that comes at the same time uses the
 * one or the other.
 * Return: 0, -EINVAL for an id that does not exist, or -EBUSY for another than the
 * present one while a resize is in flight.
 */
int hvx_strategy_choose(struct hvx_vm *vm, u64 id)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hvx_strategies); i++) {
		if (hvx_strategies[i]->id == id) {
			if (READ_ONCE(vm->resizer->strategy) == hvx_strategies[i])
				return 0;
			if (READ_ONCE(vm->resizer->pending))
				return -EBUSY;
			WRITE_ONCE(vm->resizer->strategy, hvx_strategies[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/**
 * hvx_strategy_init() - the strategy of a new VM
 * @rz: the VM's
 */
void hvx_strategy_init(struct hvx_resizer *rz)
{
	rz->strategy = READ_ONCE(hvx_default_strategy);
}

/**
 * hvx_strategy_for() - the strategy of a resize that begins
 * @vm: the VM
 * @from: order of the table there is, or 0
 * @to: order of the one to be
 *
 * Return: one that can do it.
 */
const struct hvx_strategy *hvx_strategy_for(struct hvx_vm *vm,
					    unsigned int from, unsigned int to)
{
	const struct hvx_strategy *chosen = READ_ONCE(vm->resizer->strategy);

	if (chosen->possible && !chosen->possible(vm->kvm, from, to))
		return &hvx_copy_strategy;
	return chosen;
}
