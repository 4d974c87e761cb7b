// SPDX-License-Identifier: GPL-2.0
/*
 * Copy-at-commit: PREPARE makes an empty table, COMMIT carries the bolted
 * entries over while the vCPUs are stopped.
 *
 * The old table is only read. Entries that are not bolted stay behind; the
 * guest enters them again when it misses them. The harvest picks up what the
 * hardware noted in them.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "vm.h"

static int hvx_copy_one(struct hvx_resize *rs, struct kvm_hpt_info *old,
			u64 index)
{
	struct hvx_entry e;
	__be64 *new;
	u64 to;

	preempt_disable();
	hvx_entry_read(old, index, &e);
	preempt_enable();

	to = hpte_rehash(e.v, e.gr, index, old->order, rs->order);
	new = hvx_hptep(&rs->hpt, to);
	/* Only bolted entries are in the new table: whoever is there, is one. */
	if (new[0])
		return -ENOSPC;

	rs->hpt.rev[to].guest_rpte = e.gr;
	hvx_hpte_write(new, hpte_absent_v(e.v),
		       hpte_absent_r(e.v, e.gr, e.mmio));
	return 0;
}

static int hvx_copy_commit(struct hvx_resize *rs)
{
	struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	u64 n = hpt_nr_hptes(old->order);
	u64 i, v, kept = 0, dropped = 0;
	int ret;

	for (i = 0; i < n; i++) {
		v = be64_to_cpu(READ_ONCE(*hvx_hptep(old, i)));
		if (!hpte_in_use(v))
			continue;
		if (!(v & HPT_V_BOLTED)) {
			dropped++;
			continue;
		}
		ret = hvx_copy_one(rs, old, i);
		if (ret)
			return ret;
		kept++;
	}
	atomic64_set(&rs->kept, kept);
	atomic64_set(&rs->dropped, dropped);
	return 0;
}

const struct hvx_strategy hvx_copy_strategy = {
	.name = "copy",
	.id = KVM_PPC_HPT_RESIZE_COPY,
	.rc_at_commit = true,
	.commit = hvx_copy_commit,
};
