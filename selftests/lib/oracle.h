/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the HPT of a guest must hold, told from what the guest asked for.
 *
 * The oracle keeps a list of entries, each with the full hash that the test
 * knows from having made the address up. It never looks at the host's table to
 * find where an entry goes, and has no idea how a resize is done.
 */
#ifndef SELFTESTS_ORACLE_H
#define SELFTESTS_ORACLE_H

#include "types.h"

#include "hpt.h"

/* What a resize may do to entries that are not bolted. */
enum oracle_keep {
	KEEP_BOLTED,	/* any of them may be gone */
	KEEP_ALL,	/* none is lost, but to a collision */
};

struct oracle_entry {
	u64 hash;
	u64 v;
	u64 r;
	int next;		/* of those that claim the same place, or -1 */
	u8 slot;		/* in the group */
	bool live;		/* false: removed, the list's place is free */
};

struct oracle {
	unsigned int order;
	unsigned int nr;
	unsigned int room;
	struct oracle_entry *entry;
	int *place;		/* first claimant by index in the HPT, or -1 */
};

struct oracle *oracle_new(unsigned int order);
void oracle_free(struct oracle *oracle);
void oracle_add(struct oracle *oracle, u64 index, u64 hash,
		u64 v, u64 r);
void oracle_add_vrma(struct oracle *oracle, const struct hpte *htab);
void oracle_remove(struct oracle *oracle, u64 index);
void oracle_protect(struct oracle *oracle, u64 index, u64 r);
struct oracle_entry *oracle_at(struct oracle *oracle, u64 index);
bool oracle_collides(struct oracle *oracle, unsigned int order);
void oracle_resize(struct oracle *oracle, unsigned int order);
unsigned int oracle_settle(struct oracle *oracle, const struct hpte *htab,
			   enum oracle_keep keep);
unsigned int oracle_count(struct oracle *oracle);
enum oracle_keep oracle_keep(unsigned int strategy);

#endif /* SELFTESTS_ORACLE_H */
