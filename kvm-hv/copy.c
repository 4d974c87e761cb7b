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

/*
 * The guest's view of an entry, with what the hardware has noted since. The
 * host may unmap or age the page just now, which moves bits from the HPTE to
 * guest_rpte: under the HPTE's lock they are in one of the two.
 */
static u64 hvx_copy_guest_r(struct kvm_hpt_info *old, u64 index)
{
	__be64 *hptep = hvx_hptep(old, index);
	u64 gr;

	preempt_disable();
	hvx_hpte_lock(hptep);
	gr = old->rev[index].guest_rpte;
	if (be64_to_cpu(hptep[0]) & HPT_V_VALID)
		gr |= be64_to_cpu(hptep[1]) & HPT_R_RC;
	hvx_hpte_unlock(hptep);
	preempt_enable();
	return gr;
}

static int hvx_copy_one(struct hvx_resize *rs, struct kvm_hpt_info *old,
			u64 index)
{
	const __be64 *hptep = hvx_hptep(old, index);
	u64 v = hvx_hpte_v(hptep);
	u64 gr = hvx_copy_guest_r(old, index);
	u64 to = hpte_rehash(v, gr, index, old->order, rs->order);
	__be64 *new = hvx_hptep(&rs->hpt, to);
	bool mmio = hpte_is_mmio(v, be64_to_cpu(hptep[1]));

	/* Only bolted entries are in the new table: whoever is there, is one. */
	if (new[0])
		return -ENOSPC;

	rs->hpt.rev[to].guest_rpte = gr;
	hvx_hpte_write(new, hpte_absent_v(v), hpte_absent_r(v, gr, mmio));
	rs->kept++;
	return 0;
}

static int hvx_copy_commit(struct hvx_resize *rs)
{
	struct kvm_hpt_info *old = &rs->vm->kvm->arch.hpt;
	u64 n = hpt_nr_hptes(old->order);
	u64 i, v;
	int ret;

	rs->kept = 0;
	rs->dropped = 0;
	for (i = 0; i < n; i++) {
		v = be64_to_cpu(READ_ONCE(*hvx_hptep(old, i)));
		if (!hpte_in_use(v))
			continue;
		if (!(v & HPT_V_BOLTED)) {
			rs->dropped++;
			continue;
		}
		ret = hvx_copy_one(rs, old, i);
		if (ret)
			return ret;
	}
	return 0;
}

const struct hvx_strategy hvx_copy_strategy = {
	.name = "copy",
	.id = KVM_PPC_HPT_RESIZE_COPY,
	.rc_at_commit = true,
	.commit = hvx_copy_commit,
};
