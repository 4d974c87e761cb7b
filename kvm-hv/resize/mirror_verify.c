// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrored prepare: whether each slot of the new table is what the old table says, for test
 * builds ("verify").
 */
#include <linux/kvm_host.h>

#include "resize/mirror.h"
#include "resize/warm.h"

/*
 * An absent entry that was marked as emulated MMIO becomes valid if a memslot has come
 * since it was entered, and the guest touches it. Its copy keeps the mark, which is
 * right: the mark is a hint of what the fault is about, and KVM's fault handler looks
 * for a memslot all the same.
 */
static u64 hvx_mirror_want_r(const struct hvx_entry *e, u64 r)
{
	bool mmio = e->mmio;

	if (e->v & HPT_V_VALID)
		mmio = hpte_is_mmio(hpte_absent_v(e->v), r);
	return hpte_absent_r(e->v, e->gr, mmio);
}

/*
 * A valid entry: its source is, with the same page; a fault may have made that
 * writable since. The hardware's R and C come with the harvest.
 */
static bool hvx_mirror_valid_right(struct hvx_resize *rs, u64 j,
				   const struct hvx_wanted *want)
{
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	u64 r = hvx_read_be64(&hptep[1]), from;

	if (!want->source || !(want->e.v & HPT_V_VALID))
		return false;
	from = hvx_read_be64(&want->source[1]) & ~HPT_R_RC;
	return hvx_hpte_v(hptep) == want->e.v &&
	       (r == from || r == hpte_make_readonly(from)) &&
	       hvx_warm_linked(rs, j);
}

static bool hvx_mirror_absent_right(struct hvx_resize *rs, u64 j,
				    const struct hvx_wanted *want)
{
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	u64 v = hvx_hpte_v(hptep);
	u64 r = hvx_read_be64(&hptep[1]), want_r;

	if (!want->source)
		return !hpte_in_use(v);
	want_r = hvx_mirror_want_r(&want->e, r);
	/* The segment size has taken the place of the top of an MMIO address. */
	if (cpu_has_feature(CPU_FTR_ARCH_300)) {
		r = hpte_v3_to_v2_r(r);
		want_r = hpte_v3_to_v2_r(want_r);
	}
	return v == hpte_absent_v(want->e.v) && !((r ^ want_r) & ~HPT_R_RC);
}

/* R and C may have been noted since; the harvest brings them. */
static bool hvx_mirror_view_right(u64 gr, u64 want_gr)
{
	return !((gr ^ want_gr) & ~(HPT_R_RC | HPT_GR_MODIFIED)) &&
	       !(gr & ~want_gr & HPT_R_RC);
}

/*
 * Between two MMU notifiers, of which each unmaps both tables.
 * Return: -EAGAIN if an old slot could not be read.
 */
static int hvx_mirror_slot_right(struct hvx_resize *rs, u64 j)
{
	const struct hvx_mirror *mirror = hvx_mirror_of(rs);
	const struct revmap_entry *rev = &rs->hpt.rev[j];
	const __be64 *hptep = hvx_hptep(&rs->hpt, j);
	struct hvx_wanted want;
	bool right;

	if (!hvx_mirror_want(rs, j, &want))
		return -EAGAIN;
	right = hvx_read_be64(hptep) & HPT_V_VALID ?
		hvx_mirror_valid_right(rs, j, &want) :
		hvx_mirror_absent_right(rs, j, &want);
	if (want.source)
		right = right && hvx_mirror_view_right(rev->guest_rpte, want.e.gr);
	if (mirror->losers)
		right = right && mirror->losers[j] == want.losers;
	if (!right)
		pr_err_ratelimited("verify: lpid %llu order %u -> %u slot %llx: %016llx %016llx guest %016llx, should be %016llx %016llx guest %016llx\n",
				   (u64)rs->vm->kvm->arch.lpid, rs->from, rs->order, j,
				   hvx_hpte_v(hptep), hvx_read_be64(&hptep[1]),
				   (u64)rev->guest_rpte, want.source ? want.e.v : 0,
				   want.source ? hvx_read_be64(&want.source[1]) : 0,
				   want.source ? want.e.gr : 0);
	hvx_mirror_let_go(&want);
	return right ? 0 : -EIO;
}

/**
 * hvx_mirror_verify() - look at COMMIT whether the new table is what it should be
 * @rs: the resize
 *
 * Context: may sleep; the gate is closed.
 * Return: 0, or -EIO; the log has the first slot that is wrong.
 */
int hvx_mirror_verify(struct hvx_resize *rs)
{
	u64 j = 0, n = hpt_nr_hptes(rs->order);
	struct kvm *kvm = rs->vm->kvm;
	int ret;

	while (j < n) {
		if (!(j % HVX_MIRROR_CHUNK))
			hvx_relax();
		spin_lock(&kvm->mmu_lock);
		ret = hvx_mirror_slot_right(rs, j);
		spin_unlock(&kvm->mmu_lock);
		if (ret == -EIO)
			return ret;
		if (ret)
			hvx_hpte_back_off();
		else
			j++;
	}
	return hvx_warm_chains_right(rs) ? 0 : -EIO;
}
