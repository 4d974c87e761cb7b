/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host that is after its guests' memory: a thread that takes pages away, exchanges,
 * moves, shares and protects them, at random and without rest.
 */
#ifndef SELFTESTS_ATTACK_H
#define SELFTESTS_ATTACK_H

#include <pthread.h>

#include "memory.h"
#include "types.h"

/* Those that lose what is in a page are so marked; it reads as zero then. */
enum attack {
	PROTECT,	/* read-only for a moment */
	DISCARD,	/* loses: MADV_DONTNEED, or a hole in the file */
	REMAP,		/* loses: another mapping in its place */
	COMPACT,	/* compaction of all memory */
	MIGRATE,	/* to another node */
	FORK,		/* shared with a child, and copied on write */
	COLLAPSE,	/* to huge pages, and split */
	MERGE,		/* KSM, and copied on write */
	SWAP,		/* swapped out */
	POSTCOPY,	/* away, and another with its contents comes (userfaultfd) */
	NR_ATTACKS
};

#define ATTACKS_LOSE	(BIT(DISCARD) | BIT(REMAP))

struct attacker {
	void *mem;
	unsigned int pages;
	enum memory_kind kind;
	unsigned int attacks;		/* which ones */
	unsigned long word;		/* in each page, that nobody else writes to */
	u64 random;

	/* The library's. */
	unsigned long page;
	int uffd;
	pthread_t thread;
	pthread_mutex_t lock;		/* held while an attack is under way */
	volatile bool stop;
	unsigned long done[NR_ATTACKS];
	unsigned long before[NR_ATTACKS];
};

const char *attack_lacks(unsigned int attacks, unsigned long bytes);
void attack_start(struct attacker *me);
void attack_hold(struct attacker *me);
void attack_go_on(struct attacker *me);
void attack_stop(struct attacker *me);
unsigned int attack_report(struct attacker *me, char *text, size_t size);

#endif /* SELFTESTS_ATTACK_H */
