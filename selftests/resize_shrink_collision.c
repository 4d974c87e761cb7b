// SPDX-License-Identifier: GPL-2.0
/*
 * Entries that fold onto one slot when the HPT shrinks: two bolted ones fail
 * the resize and leave the old HPT intact, others give way.
 */
#include <errno.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER		20

FIXTURE(collision)
{
	struct table *table;
};

FIXTURE_ROADS(collision);

FIXTURE_SETUP(collision)
{
	const char *why = vmm_lacks(variant->road);

	if (why)
		SKIP(return, "%s", why);
	self->table = table_create(.order = ORDER, .road = variant->road);
}

FIXTURE_TEARDOWN(collision)
{
	table_destroy(self->table);
}

/*
 * Enter two pages of a segment that an HPT of ORDER - 1 has one place for. The
 * lower of the groups is the first one's.
 */
static void enter_pair(struct table *table, bool bolted, bool bolted2,
		       bool tera, bool secondary, u64 index[2])
{
	struct page page = {
		.vsid = 0x4321,
		.offset = 0x7000,
		.gpa = GUEST_DATA,
		.prot = HPTE_R_RW,
		.base_shift = 12,
		.shift = 12,
		.tera = tera,
		.secondary = secondary,
		.bolted = bolted,
	};
	u64 fold = 1ull << (ORDER - 8);	/* top bit of the group's index */
	long ret;

	if (hash_group(page_hash(&page), secondary, ORDER) & fold)
		page.offset ^= fold << 12;
	index[0] = 3;
	index[1] = 3;
	ret = table_enter(table, &page, H_EXACT, &index[0]);
	if (ret)
		die("H_ENTER: %ld", ret);
	page.offset ^= fold << 12;
	page.bolted = bolted2;
	ret = table_enter(table, &page, H_EXACT, &index[1]);
	if (ret)
		die("H_ENTER: %ld", ret);
	if (index[0] + fold * HPTES_PER_GROUP != index[1])
		die("a pair that does not collide");
}

/*
 * What PREPARE says when it is done: a mirror knows of a collision, and that saves the
 * guest a COMMIT, which a Linux guest stops all its CPUs for.
 */
static int told(const struct table *table, bool collides)
{
	bool knows = table->vm->strategy == KVM_PPC_HPT_RESIZE_MIRROR;

	return knows && collides ? -ENOSPC : 0;
}

TEST_F(collision, bolted_with_bolted)
{
	unsigned int i;
	u64 index[2];

	/* In each kind of segment, by primary and by secondary hash. */
	for (i = 0; i < 4; i++) {
		enter_pair(self->table, true, true, i & 1, i & 2, index);
		EXPECT_EQ(-ENOSPC, table_resize(self->table, ORDER - 1));
		EXPECT_EQ(ORDER, self->table->vm->order);
		EXPECT_GUEST_RUNS(self->table->vcpu);
		EXPECT_EQ(0, table_check(self->table));
		/* And what was prepared is gone. */
		EXPECT_EQ(-ENXIO, resize_commit(self->table->vcpu, ORDER - 1));

		/* Without one of them it works, whichever it is. */
		table_remove(self->table, index[i & 1]);
		EXPECT_EQ(0, table_resize(self->table, ORDER - 1));
		EXPECT_GUEST_RUNS(self->table->vcpu);
		EXPECT_EQ(0, table_resize(self->table, ORDER));
		table_remove(self->table, index[!(i & 1)]);
	}
}

TEST_F(collision, bolted_with_other)
{
	unsigned int i;
	u64 index[2];

	/* The one that stays is found before the other, and after. */
	for (i = 0; i < 8; i++) {
		enter_pair(self->table, i & 4, !(i & 4), i & 1, i & 2, index);
		EXPECT_EQ(0, table_resize(self->table, ORDER - 1));
		EXPECT_EQ(0, table_resize(self->table, ORDER));
		EXPECT_NE(NULL, oracle_at(self->table->oracle, index[!(i & 4)]));
		EXPECT_EQ(NULL, oracle_at(self->table->oracle, index[!!(i & 4)]));
		table_remove(self->table, index[!(i & 4)]);
	}
}

TEST_F(collision, neither_bolted)
{
	u64 index[2];

	enter_pair(self->table, false, false, true, false, index);
	EXPECT_EQ(0, table_resize(self->table, ORDER - 1));
	EXPECT_EQ(0, table_resize(self->table, ORDER));
	/* One at most; which, if any, is the strategy's choice. */
	EXPECT_FALSE(oracle_at(self->table->oracle, index[0]) &&
		     oracle_at(self->table->oracle, index[1]));
}

/* The VRMA's entries are bolted, and the host's: they must win, too. */
TEST_F(collision, with_the_vrma)
{
	const u64 ndx = 7;	/* the slot that KVM uses for them */
	struct oracle *oracle = self->table->oracle;
	u64 group, index = ndx;
	struct page page = {
		.vsid = 0x77,
		.gpa = GUEST_DATA,
		.prot = HPTE_R_RW,
		.base_shift = 12,
		.shift = 12,
	};

	/* Into the group that folds onto that of guest address 0. */
	group = hash_group(vrma_hash(0), false, ORDER) ^ 1ull << (ORDER - 8);
	page.offset = ((page.vsid ^ group) & 0xffff) << 12;
	ASSERT_EQ(group, hash_group(page_hash(&page), false, ORDER));
	ASSERT_EQ(0, table_enter(self->table, &page, H_EXACT, &index));
	EXPECT_EQ(0, table_resize(self->table, ORDER - 1));
	EXPECT_GUEST_RUNS(self->table->vcpu);
	EXPECT_EQ(0, table_resize(self->table, ORDER));
	EXPECT_EQ(NULL, oracle_at(oracle, index));

	page.bolted = true;
	ASSERT_EQ(0, table_enter(self->table, &page, H_EXACT, &index));
	EXPECT_EQ(-ENOSPC, table_resize(self->table, ORDER - 1));
	EXPECT_GUEST_RUNS(self->table->vcpu);
}

/* PREPARE may be long ago: what counts is what there is at COMMIT. */
TEST_F(collision, winner_removed_after_prepare)
{
	struct table *table = self->table;
	unsigned int i;
	u64 index[2];

	for (i = 0; i < 4; i++) {
		/* Two bolted ones at first, or one that has to give way. */
		enter_pair(table, i & 2, true, i & 1, false, index);
		ASSERT_EQ(told(table, i & 2),
			  resize_prepare(table->vcpu, ORDER - 1));
		ASSERT_EQ(told(table, i & 2),
			  resize_prepare_once(table->vcpu, 0, ORDER - 1));
		table_remove(table, index[1]);
		ASSERT_EQ(0, resize_prepare_once(table->vcpu, 0, ORDER - 1));
		ASSERT_EQ(0, resize_commit(table->vcpu, ORDER - 1));
		EXPECT_EQ(0, table_committed(table, ORDER - 1));
		EXPECT_EQ(0, table_resize(table, ORDER));
		if (oracle_at(table->oracle, index[0]))
			table_remove(table, index[0]);
		else
			EXPECT_EQ(0, i & 2);
	}
}

TEST_F(collision, bolted_after_prepare)
{
	struct table *table = self->table;
	u64 index[2];

	ASSERT_EQ(0, resize_prepare(table->vcpu, ORDER - 1));
	enter_pair(table, true, true, true, false, index);
	EXPECT_EQ(told(table, true),
		  resize_prepare_once(table->vcpu, 0, ORDER - 1));
	EXPECT_EQ(-ENOSPC, resize_commit(table->vcpu, ORDER - 1));
	EXPECT_EQ(-ENXIO, resize_commit(table->vcpu, ORDER - 1));
	EXPECT_EQ(0, table_check(table));
	EXPECT_EQ(0, table_resize(table, ORDER + 1));
	EXPECT_GUEST_RUNS(table->vcpu);
}

/* Everything at once, up and down; the oracle knows what to expect. */
TEST_F_TIMEOUT(collision, random, 300)
{
	unsigned int i, order, done = 0, refused = 0, n = scaled(12);

	/* On until one was possible. */
	for (i = 0; i < n || (!done && i < 64); i++) {
		int ret;

		table_fill(self->table, 100);
		table_churn(self->table, 100);
		order = HPT_MIN_ORDER + guest_random(&self->table->random) % 5;
		/* Half of them with changes while the new HPT is ready. */
		ret = resize_prepare(self->table->vcpu, order);
		ASSERT_EQ(told(self->table, oracle_collides(self->table->oracle,
							    order)), ret);
		if (i & 1)
			table_churn(self->table, 200);
		ret = table_resize(self->table, order);
		if (ret != -ENOSPC)
			ASSERT_EQ(0, ret);
		done += !ret;
		refused += !!ret;
		ASSERT_GUEST_RUNS(self->table->vcpu);
	}
	TH_LOG("%u resizes, %u refused for a collision, %u entries at the end",
	       done, refused, oracle_count(self->table->oracle));
	EXPECT_GT(done, 0);
}

TEST_HARNESS_MAIN
