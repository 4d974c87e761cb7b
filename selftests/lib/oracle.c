// SPDX-License-Identifier: GPL-2.0
/* What the HPT of a guest must hold, told from what the guest asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm_hv_ext.h>

#include "host.h"
#include "oracle.h"

#define SHOW_AT_MOST	8

/* The host sets R and C as it likes; the software bit 62 is KVM's. */
#define R_COMPARED	(~(HPTE_R_R | HPTE_R_C | BIT_ULL(62)))

static u64 place_of(const struct oracle_entry *entry, unsigned int order)
{
	return hash_group(entry->hash, entry->v & HPTE_V_SECONDARY, order) *
	       HPTES_PER_GROUP + entry->slot;
}

static void claim(struct oracle *oracle, int i)
{
	struct oracle_entry *entry = &oracle->entry[i];
	u64 place = place_of(entry, oracle->order);

	entry->next = oracle->place[place];
	oracle->place[place] = i;
}

static void set_order(struct oracle *oracle, unsigned int order)
{
	u64 n = 1ull << (order - 4);

	oracle->order = order;
	oracle->place = realloc(oracle->place, n * sizeof(*oracle->place));
	if (!oracle->place)
		die("no memory for an oracle of order %u", order);
	memset(oracle->place, 0xff, n * sizeof(*oracle->place));
}

/**
 * oracle_new() - an oracle for an empty HPT
 * @order: log2 of its bytes
 *
 * Return: the oracle.
 */
struct oracle *oracle_new(unsigned int order)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));

	set_order(oracle, order);
	return oracle;
}

/**
 * oracle_free() - forget it all
 * @oracle: the oracle
 */
void oracle_free(struct oracle *oracle)
{
	free(oracle->entry);
	free(oracle->place);
	free(oracle);
}

/**
 * oracle_add() - an entry was entered
 * @oracle: the oracle
 * @index: where H_ENTER said it went
 * @hash: the whole primary hash of its page
 * @v: first doubleword
 * @r: second
 */
void oracle_add(struct oracle *oracle, u64 index, u64 hash,
		u64 v, u64 r)
{
	struct oracle_entry *entry;

	if (oracle->nr == oracle->room) {
		oracle->room = oracle->room * 2 ?: 1024;
		oracle->entry = realloc(oracle->entry,
					oracle->room * sizeof(*entry));
		if (!oracle->entry)
			die("no memory for %u oracle entries", oracle->room);
	}
	entry = &oracle->entry[oracle->nr];
	*entry = (struct oracle_entry){
		.hash = hash,
		.v = v | HPTE_V_VALID,
		.r = r,
		.slot = index % HPTES_PER_GROUP,
		.live = true,
	};
	if (place_of(entry, oracle->order) != index)
		die("entry at %#lx, but its hash leads to %#lx",
		    (unsigned long)index,
		    (unsigned long)place_of(entry, oracle->order));
	claim(oracle, oracle->nr++);
}

/**
 * oracle_add_vrma() - take over the entries that the host made at boot
 * @oracle: an empty oracle
 * @htab: the HPT of a guest that has run, and entered nothing itself
 *
 * They are the only ones that the oracle learns from the host; where they must
 * be follows from their guest address.
 */
void oracle_add_vrma(struct oracle *oracle, const struct hpte *htab)
{
	u64 i, n = 1ull << (oracle->order - 4);

	for (i = 0; i < n; i++) {
		unsigned int shift = 12;

		if (!htab[i].v)
			continue;
		if (htab[i].v & HPTE_V_LARGE)
			shift = htab[i].r & 0x1000 ? 16 : 24;
		oracle_add(oracle, i,
			   vrma_hash((htab[i].r & HPTE_R_RPN) >> shift),
			   htab[i].v, htab[i].r);
	}
}

/**
 * oracle_at() - the entry at a place, when there is no doubt which
 * @oracle: the oracle, settled
 * @index: the place
 *
 * Return: NULL if there is none.
 */
struct oracle_entry *oracle_at(struct oracle *oracle, u64 index)
{
	int i = oracle->place[index];

	return i < 0 ? NULL : &oracle->entry[i];
}

/**
 * oracle_remove() - an entry was removed
 * @oracle: the oracle, settled
 * @index: where it was
 */
void oracle_remove(struct oracle *oracle, u64 index)
{
	struct oracle_entry *entry = oracle_at(oracle, index);

	if (!entry)
		die("the oracle knows of nothing at %#lx", (unsigned long)index);
	entry->live = false;
	oracle->place[index] = -1;
}

/**
 * oracle_protect() - the second doubleword of an entry changed
 * @oracle: the oracle, settled
 * @index: where it is
 * @r: what it is now
 */
void oracle_protect(struct oracle *oracle, u64 index, u64 r)
{
	struct oracle_entry *entry = oracle_at(oracle, index);

	if (!entry)
		die("the oracle knows of nothing at %#lx", (unsigned long)index);
	entry->r = r;
}

/* Let every live entry claim its place in a table of that order. */
static void claim_all(struct oracle *oracle, unsigned int order)
{
	unsigned int i, live = 0;

	for (i = 0; i < oracle->nr; i++)
		if (oracle->entry[i].live)
			oracle->entry[live++] = oracle->entry[i];
	oracle->nr = live;
	set_order(oracle, order);
	for (i = 0; i < live; i++)
		claim(oracle, i);
}

static bool bolted_twice(struct oracle *oracle)
{
	u64 i, n = 1ull << (oracle->order - 4);

	for (i = 0; i < n; i++) {
		unsigned int bolted = 0;
		int e;

		for (e = oracle->place[i]; e >= 0; e = oracle->entry[e].next)
			bolted += !!(oracle->entry[e].v & HPTE_V_BOLTED);
		if (bolted > 1)
			return true;
	}
	return false;
}

/**
 * oracle_collides() - whether a resize must fail
 * @oracle: the oracle, settled
 * @order: of the HPT wanted
 *
 * Return: true if two bolted entries would have to share a place.
 */
bool oracle_collides(struct oracle *oracle, unsigned int order)
{
	unsigned int old = oracle->order;
	bool collides;

	claim_all(oracle, order);
	collides = bolted_twice(oracle);
	claim_all(oracle, old);
	return collides;
}

/**
 * oracle_resize() - a resize succeeded
 * @oracle: the oracle, settled
 * @order: of the new HPT
 *
 * Several entries may now claim a place: oracle_settle() is next.
 */
void oracle_resize(struct oracle *oracle, unsigned int order)
{
	claim_all(oracle, order);
}

static bool same(const struct oracle_entry *entry, const struct hpte *hpte)
{
	return entry->v == hpte->v && !((entry->r ^ hpte->r) & R_COMPARED);
}

static void complain(unsigned int nr, u64 index, const struct hpte *hpte,
		     const struct oracle_entry *entry, const char *why)
{
	if (nr >= SHOW_AT_MOST)
		return;
	fprintf(stderr, "# HPTE %#lx is %016lx %016lx, %s",
		(unsigned long)index, (unsigned long)hpte->v,
		(unsigned long)hpte->r, why);
	if (entry)
		fprintf(stderr, " %016lx %016lx", (unsigned long)entry->v,
			(unsigned long)entry->r);
	fputs("\n", stderr);
}

/*
 * Of the claimants of one place: a bolted one must be there. Otherwise one of
 * them must (KEEP_ALL), or may.
 */
static unsigned int settle_place(struct oracle *oracle, u64 index,
				 const struct hpte *hpte, enum oracle_keep keep,
				 unsigned int wrong)
{
	struct oracle_entry *entry, *must = NULL, *found = NULL;
	int e;

	for (e = oracle->place[index]; e >= 0; e = entry->next) {
		entry = &oracle->entry[e];
		entry->live = false;
		if (entry->v & HPTE_V_BOLTED)
			must = entry;
		if (same(entry, hpte))
			found = entry;
	}
	e = oracle->place[index];
	if (!hpte->v && e >= 0 && !must && keep == KEEP_BOLTED) {
		oracle->place[index] = -1;
		return 0;
	}
	if (!hpte->v && e < 0)
		return 0;
	if (found && (!must || must == found)) {
		found->live = true;
		found->next = -1;
		oracle->place[index] = found - oracle->entry;
		return 0;
	}
	if (must)
		complain(wrong, index, hpte, must, "the bolted one should be");
	else if (e >= 0)
		complain(wrong, index, hpte, &oracle->entry[e], "should be");
	else
		complain(wrong, index, hpte, NULL, "nothing should be there");
	oracle->place[index] = -1;
	return 1;
}

/**
 * oracle_settle() - compare with the guest-visible HPT, entry by entry
 * @oracle: the oracle
 * @htab: from htab_read(), of the oracle's order
 * @keep: what may be missing
 *
 * Entries that were allowed to go, and went, are forgotten. The first
 * differences are shown as comments.
 *
 * Return: the number of places that are wrong.
 */
unsigned int oracle_settle(struct oracle *oracle, const struct hpte *htab,
			   enum oracle_keep keep)
{
	u64 i, n = 1ull << (oracle->order - 4);
	unsigned int wrong = 0;

	for (i = 0; i < n; i++)
		wrong += settle_place(oracle, i, &htab[i], keep, wrong);
	return wrong;
}

/**
 * oracle_count() - how many entries there are
 * @oracle: the oracle, settled
 *
 * Return: their number.
 */
unsigned int oracle_count(struct oracle *oracle)
{
	unsigned int i, n = 0;

	for (i = 0; i < oracle->nr; i++)
		n += oracle->entry[i].live;
	return n;
}

/**
 * oracle_keep() - what a resize may do, by strategy
 * @strategy: KVM_PPC_HPT_RESIZE_*, 0 for an unknown one
 *
 * Return: what oracle_settle() wants to know.
 */
enum oracle_keep oracle_keep(unsigned int strategy)
{
	return strategy == KVM_PPC_HPT_RESIZE_MIRROR ? KEEP_ALL : KEEP_BOLTED;
}
