/* SPDX-License-Identifier: GPL-2.0 */
/* Time, memory and modules, for programs that measure. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include "host.h"
#include "vmm.h"

struct contender {
	const char *name;
	unsigned int strategy;	/* KVM_PPC_HPT_RESIZE_*, 0: stock KVM */
	bool cold;		/* a mirrored table whose entries are absent */
};

const struct contender *contender(const char *name);
u64 now_ns(void);
u64 ticks_ns(u64 ticks);
void mem_now(struct mem_use *use);
u64 vm_exits(struct vm *vm);
void module_want(bool loaded);
u64 prepare(struct vm *vm, unsigned int to);

#endif /* BENCH_CLOCK_H */
