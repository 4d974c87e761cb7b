/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's memory and the contents of its HPT, the same for every contender.
 *
 * The guest has the memory that calls for its HPT, 128 times the table's size,
 * and maps every page of 64 KiB of it twice: once in a linear mapping, bolted,
 * and once in the address space of some process, not bolted. Of every 32 MiB
 * the first half has host memory behind it, the second half has none; entries
 * of the former are present, those of the latter absent.
 */
#ifndef BENCH_CONTENTS_H
#define BENCH_CONTENTS_H

#include "hpt.h"
#include "vmm.h"

#define CONTENTS_SHIFT	16		/* pages of 64 KiB */
#define CONTENTS_CHUNK	256		/* pages present, then as many absent */
#define CONTENTS_WSET	2048		/* pages of a process, half of them present */

struct contents {
	unsigned int order;	/* of the HPT */
	u64 pages;		/* of the guest's memory */
	void *ram;		/* host address of the guest's memory */
};

/* What of a table was looked at, by debugfs. */
struct contents_seen {
	unsigned int bolted_present;
	unsigned int bolted_absent;
	unsigned int other_present;
	unsigned int other_absent;
};

void contents_init(struct contents *contents, unsigned int order);
void contents_free(struct contents *contents);
struct vm *contents_vm(const struct contents *contents, unsigned int strategy,
		       unsigned int vcpus);
void contents_vm_end(struct vm *vm);
void contents_look(const struct contents *contents, struct vm *vm,
		   struct contents_seen *seen);
void contents_page(u64 nr, bool bolted, struct page *page);

static inline bool contents_present(u64 nr)
{
	return !(nr / CONTENTS_CHUNK & 1);
}

#endif /* BENCH_CONTENTS_H */
