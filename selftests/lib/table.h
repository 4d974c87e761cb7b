/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM whose HPT is filled, changed, resized and compared with the oracle, by
 * hcalls that one idle vCPU makes.
 */
#ifndef SELFTESTS_TABLE_H
#define SELFTESTS_TABLE_H

#include "oracle.h"
#include "vmm.h"

struct table {
	struct vm *vm;
	struct vcpu *vcpu;
	struct oracle *oracle;
	enum oracle_keep keep;
	u64 random;
};

#define table_create(...) table_create_cfg(&(struct vm_cfg){ __VA_ARGS__ })
struct table *table_create_cfg(const struct vm_cfg *cfg);
void table_destroy(struct table *table);
long table_enter(struct table *table, const struct page *page, u64 flags,
		 u64 *index);
void table_remove(struct table *table, u64 index);
void table_random_page(struct table *table, struct page *page);
void table_fill(struct table *table, unsigned int n);
void table_churn(struct table *table, unsigned int n);
unsigned int table_check(struct table *table);
int table_resize(struct table *table, unsigned int order);
int table_committed(struct table *table, unsigned int order);

#endif /* SELFTESTS_TABLE_H */
