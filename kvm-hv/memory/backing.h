/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What backs a VM's memory.
 */
#ifndef KVM_HV_EXT_BACKING_H
#define KVM_HV_EXT_BACKING_H

#include <linux/kvm_host.h>

struct seq_file;

/* Bytes of a range of host addresses, by what the page tables hold. */
struct hvx_backing_count {
	unsigned long none;		/* an empty entry */
	unsigned long no_table;		/* no page table, or an empty large entry */
	unsigned long away_small;	/* on swap, or being moved */
	unsigned long away_large;
	unsigned long present[48];	/* by shift of the entry's page size */
};

/* A guest's memory, as a memslot has it or would have it. */
struct hvx_range {
	int slot;			/* for the log; -1: none yet */
	u64 gpa;
	unsigned long hva, size;	/* bytes */
};

void hvx_backing_walk(struct mm_struct *mm, unsigned long start,
		      unsigned long end, struct hvx_backing_count *count);
int hvx_backing_check(struct kvm *kvm, const struct hvx_range *mem,
		      unsigned int shift);
bool hvx_backing_is_device(struct kvm *kvm,
			   const struct kvm_memory_slot *slot);
int hvx_backing_show(struct seq_file *m, struct kvm *kvm);

#endif /* KVM_HV_EXT_BACKING_H */
