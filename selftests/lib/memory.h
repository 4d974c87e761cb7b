/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of all the kinds that can be behind a guest's, and the page-size limit. */
#ifndef SELFTESTS_MEMORY_H
#define SELFTESTS_MEMORY_H

#include "types.h"

enum memory_kind {
	MEM_ANON,		/* in base pages only */
	MEM_THP,		/* anonymous, MADV_HUGEPAGE, aligned */
	MEM_MEMFD,		/* shared, no file system behind it */
	MEM_FILE,		/* a private mapping of a file */
	MEM_HUGETLB,
	MEM_HUGETLB_SHARED,
};

bool huge_reserve(unsigned int shift, unsigned long size);
void huge_release(unsigned int shift);
unsigned int thp_shift(void);
unsigned int thp_limit(void);
void *memory_map(enum memory_kind kind, unsigned long size, unsigned int shift);
void memory_unmap(void *mem, unsigned long size);
int memory_fits(unsigned int limit, unsigned long gpa, void *mem,
		unsigned long size);

struct vm;
void *vm_slots_apart(struct vm *vm, unsigned int first, unsigned int slots,
		     unsigned long gpa);
void vm_bare(struct vm *vm, unsigned int limit);
const char *vmm_lacks_limit(void);
int vm_set_limit(struct vm *vm, u64 shift, u64 flags);

#endif /* SELFTESTS_MEMORY_H */
