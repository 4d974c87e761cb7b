// SPDX-License-Identifier: GPL-2.0
/* A VM whose HPT is filled, changed, resized and compared with the oracle. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm_hv_ext.h>

#include "guest.h"
#include "host.h"
#include "table.h"

/* No memslot is here: pages of every size can be entered, as absent ones. */
#define NOWHERE		BIT_ULL(44)

/* Here there is memory: what fits the host's pages is entered as present. */
#define SOMEWHERE	GUEST_DATA
#define SOMEWHERE_END	GUEST_RAM

#define BOLTED_IN	4	/* one of so many is bolted */

static void guest_nothing(void)
{
}

/**
 * table_create_cfg() - a VM that has run, and an oracle that knows its VRMA
 * @cfg: of the VM
 *
 * Return: the table.
 */
struct table *table_create_cfg(const struct vm_cfg *cfg)
{
	struct table *table = calloc(1, sizeof(*table));
	struct hpte *htab;

	table->vm = vm_create_cfg(cfg);
	table->vcpu = &table->vm->vcpu[0];
	table->keep = oracle_keep(table->vm->strategy);
	table->random = test_seed();
	table->oracle = oracle_new(table->vm->order);
	vcpu_call(table->vcpu, guest_nothing, 0, 0);
	memset(vm_host(table->vm, SOMEWHERE), 0xa5, SOMEWHERE_END - SOMEWHERE);
	htab = htab_read(table->vm);
	oracle_add_vrma(table->oracle, htab);
	free(htab);
	return table;
}

/**
 * table_destroy() - end it all
 * @table: the table
 */
void table_destroy(struct table *table)
{
	oracle_free(table->oracle);
	vm_destroy(table->vm);
	free(table);
}

/**
 * table_enter() - H_ENTER, told to the oracle if it succeeds
 * @table: the table
 * @page: what to enter
 * @flags: 0 for anywhere in the group, H_EXACT for the slot in *@index
 * @index: slot wanted with H_EXACT; where it went
 *
 * Return: status of the hcall.
 */
long table_enter(struct table *table, const struct page *page, u64 flags,
		 u64 *index)
{
	u64 hash = page_hash(page);
	u64 group = hash_group(hash, page->secondary, table->vm->order);
	u64 args[9] = { flags, group * HPTES_PER_GROUP, page_v(page),
			     page_r(page) };
	long ret;

	if (flags & H_EXACT)
		args[1] += *index % HPTES_PER_GROUP;
	ret = vcpu_hcall(table->vcpu, H_ENTER, args);
	if (ret)
		return ret;
	*index = args[0];
	oracle_add(table->oracle, *index, hash, page_v(page), page_r(page));
	return 0;
}

/**
 * table_remove() - H_REMOVE of an entry that must be there
 * @table: the table
 * @index: where
 */
void table_remove(struct table *table, u64 index)
{
	long ret = vcpu_hcall2(table->vcpu, H_REMOVE, 0, index);

	if (ret)
		die("H_REMOVE of %#lx: %ld", (unsigned long)index, ret);
	oracle_remove(table->oracle, index);
}

/**
 * table_random_page() - a page of any kind, anywhere
 * @table: for its random numbers
 * @page: the page
 *
 * Every pair of base and actual page size, both segment sizes, primary or
 * secondary, bolted or not; half of them at guest addresses without memory.
 */
void table_random_page(struct table *table, struct page *page)
{
	static const u8 sizes[][2] = {
		{ 12, 12 }, { 12, 16 }, { 12, 24 },
		{ 16, 16 }, { 16, 24 }, { 24, 24 },
	};
	u64 r = guest_random(&table->random);
	u64 where = guest_random(&table->random);
	const u8 *size = sizes[r % 6];

	*page = (struct page){
		.tera = r & 0x100,
		.secondary = r & 0x200,
		.bolted = !(r >> 16 & (BOLTED_IN - 1)),
		.base_shift = size[0],
		.shift = size[1],
		.prot = r & 0x400 ? HPTE_R_RW : HPTE_R_RO | HPTE_R_N,
		.vsid = r >> 40,
		.gpa = NOWHERE | ((where >> 24) & 0xffffffffff),
	};
	if ((r & 0x800) && 1ul << page->shift <= table->vm->slot[0].page)
		page->gpa = SOMEWHERE +
			    (where >> 24) % (SOMEWHERE_END - SOMEWHERE);
	page->offset = where & ((1ull << (page->tera ? 40 : 28)) - 1);
}

/**
 * table_fill() - enter pages of every kind
 * @table: the table
 * @n: how many; those for which a group is full are left out
 */
void table_fill(struct table *table, unsigned int n)
{
	u64 index;
	struct page page;
	long ret;

	while (n--) {
		table_random_page(table, &page);
		ret = table_enter(table, &page, 0, &index);
		if (ret && ret != H_PTEG_FULL)
			die("H_ENTER: %ld", ret);
	}
}

static void protect(struct table *table, u64 index,
		    const struct oracle_entry *entry)
{
	const u64 mask = HPTE_R_PP | HPTE_R_N | HPTE_R_KEY_LO;
	u64 bits = guest_random(&table->random) & mask;
	long ret = vcpu_hcall2(table->vcpu, H_PROTECT, bits, index);

	if (ret)
		die("H_PROTECT of %#lx: %ld", (unsigned long)index, ret);
	oracle_protect(table->oracle, index,
		       (entry->r & ~(mask | HPTE_R_PP0 | HPTE_R_KEY_HI)) | bits);
}

static void read_back(struct table *table, u64 index,
		      const struct oracle_entry *entry)
{
	u64 args[9] = { 0, index };
	long ret = vcpu_hcall(table->vcpu, H_READ, args);

	if (ret || args[0] != entry->v)
		die("H_READ of %#lx: %ld, %#lx; expected %#lx",
		    (unsigned long)index, ret, (unsigned long)args[0],
		    (unsigned long)entry->v);
}

/* Up to four entries in one hcall, each named by its AVPN. */
static void bulk_remove(struct table *table)
{
	u64 index[4], args[9] = { HBR_END, 0, HBR_END, 0, HBR_END, 0,
				       HBR_END };
	struct oracle *oracle = table->oracle;
	unsigned int i, n = 0;
	long ret;

	for (i = 0; i < 16 && n < 4 && oracle->nr; i++) {
		u64 pick = guest_random(&table->random) % oracle->nr;
		struct oracle_entry *entry = &oracle->entry[pick];
		u64 at = hash_group(entry->hash,
					 entry->v & HPTE_V_SECONDARY,
					 oracle->order) * HPTES_PER_GROUP +
			      entry->slot;

		if (!entry->live || is_vrma(entry->v))
			continue;
		args[2 * n] = HBR_REQUEST | HBR_AVPN | at;
		args[2 * n + 1] = entry->v & ~0x7full;
		index[n++] = at;
		entry->live = false;
	}
	ret = vcpu_hcall(table->vcpu, H_BULK_REMOVE, args);
	if (ret)
		die("H_BULK_REMOVE: %ld", ret);
	for (i = 0; i < n; i++) {
		if ((args[2 * i] & (HBR_RESPONSE | HBR_CODE)) != HBR_RESPONSE)
			die("H_BULK_REMOVE of %#lx: %#lx",
			    (unsigned long)index[i],
			    (unsigned long)args[2 * i]);
		oracle_remove(oracle, index[i]);
	}
}

/**
 * table_churn() - change entries in every way an hcall can
 * @table: the table
 * @n: how many changes
 */
void table_churn(struct table *table, unsigned int n)
{
	struct oracle *oracle = table->oracle;

	while (n--) {
		u64 r = guest_random(&table->random);
		u64 index = (r >> 8) & ((1ull << (oracle->order - 4)) - 1);
		struct oracle_entry *entry;

		if (r % 4 == 0) {
			table_fill(table, 1);
			continue;
		}
		if (r % 4 == 1 && !(r >> 4 & 3)) {
			bulk_remove(table);
			continue;
		}
		/* The next entry from a random place on, if it is near. */
		do
			entry = oracle_at(oracle, index);
		while ((!entry || is_vrma(entry->v)) &&
		       ++index < 1ull << (oracle->order - 4));
		if (index >= 1ull << (oracle->order - 4))
			continue;
		switch (r % 4) {
		case 1:
			table_remove(table, index);
			break;
		case 2:
			protect(table, index, entry);
			break;
		case 3:
			read_back(table, index, entry);
			if (vcpu_hcall2(table->vcpu, r & 16 ? H_CLEAR_REF :
					H_CLEAR_MOD, 0, index))
				die("H_CLEAR_REF or H_CLEAR_MOD of %#lx",
				    (unsigned long)index);
			break;
		}
	}
}

static unsigned int settle(struct table *table, enum oracle_keep keep)
{
	struct hpte *htab = htab_read(table->vm);
	unsigned int wrong = oracle_settle(table->oracle, htab, keep);

	free(htab);
	return wrong;
}

/**
 * table_check() - compare the HPT with what was asked for, no resize between
 * @table: the table
 *
 * Ends a resize in flight, where kvm-hv-ext does the resizing.
 *
 * Return: the number of places that are wrong.
 */
unsigned int table_check(struct table *table)
{
	return settle(table, KEEP_ALL);
}

/**
 * table_committed() - compare the HPT with what must have become of it
 * @table: the table
 * @order: to which a COMMIT has just taken it
 *
 * Return: 0, or -EILSEQ if an entry is wrong.
 */
int table_committed(struct table *table, unsigned int order)
{
	oracle_resize(table->oracle, order);
	return settle(table, table->keep) ? -EILSEQ : 0;
}

/**
 * table_resize() - resize, and compare
 * @table: the table
 * @order: wanted
 *
 * A collision of bolted entries must be met by -ENOSPC, and nothing else may.
 *
 * Return: 0, or -errno of the resize; -EILSEQ if an entry is wrong afterwards,
 * -EPROTO if a collision should have been met, or one was met that is none.
 */
int table_resize(struct table *table, unsigned int order)
{
	bool collides = oracle_collides(table->oracle, order);
	int ret = resize(table->vcpu, order);

	if (collides != (ret == -ENOSPC)) {
		fprintf(stderr, "# resize %u to %u: %d, bolted collision %s\n",
			table->oracle->order, order, ret,
			collides ? "expected" : "impossible");
		if (!ret || ret == -ENOSPC)
			return -EPROTO;
	}
	if (ret)
		return table_check(table) ? -EILSEQ : ret;
	return table_committed(table, order);
}
