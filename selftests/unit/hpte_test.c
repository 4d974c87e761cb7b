// SPDX-License-Identifier: GPL-2.0
/*
 * The module's HPT arithmetic, kvm-hv/base/hpte.h, against what the tests know: each
 * page here is made up, so its full hash is known without recovering it.
 *
 * Properties over random entries of every kind, in every order of HPT.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest.h"
#include "hpt.h"
#include "hpte.h"
#include "types.h"

#define ENTRIES		24	/* of each kind, for each pair of orders */

static u64 seed = 0x6b766d2d68762d65ull;

static const struct {
	u8 base;
	u8 actual;
} sizes[] = {
	{ 12, 12 }, { 12, 16 }, { 12, 24 }, { 16, 16 }, { 16, 24 }, { 24, 24 },
};

/* Kinds of page: sizes, segment size, which hash. */
#define KINDS	(ARRAY_SIZE(sizes) * 4)

static struct page random_page(unsigned int kind)
{
	struct page page = {
		.base_shift = sizes[kind / 4].base,
		.shift = sizes[kind / 4].actual,
		.tera = kind & 1,
		.secondary = kind & 2,
		.bolted = guest_random(&seed) & 1,
		.prot = guest_random(&seed) & (HPTE_R_PP | HPTE_R_N),
		.gpa = guest_random(&seed) >> 8 & ((1ull << 50) - 1),
		.offset = guest_random(&seed),
	};

	/* The AVPN has room for so many bits of a VSID. */
	page.offset &= (1ull << (page.tera ? 40 : 28)) - 1;
	page.vsid = guest_random(&seed) >> (page.tera ? 26 : 14);
	return page;
}

static u64 random_slot(void)
{
	return guest_random(&seed) % HPTES_PER_GROUP;
}

static u64 index_in(const struct page *page, u64 slot, unsigned int order)
{
	return hash_group(page_hash(page), page->secondary, order) *
	       HPTES_PER_GROUP + slot;
}

static void decodes_page_sizes(void **state)
{
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 1000; i++) {
			struct page page = random_page(kind);
			u64 v = page_v(&page), r = page_r(&page);

			assert_int_equal(hpte_base_shift(v, r), page.base_shift);
			assert_int_equal(hpte_actual_shift(v, r), page.shift);
		}
	}
}

/* Of all 256 values of LP, those of POWER8 and later; the rest decode to 0. */
static void refuses_other_page_sizes(void **state)
{
	unsigned int lp;

	for (lp = 0; lp < 256; lp++) {
		unsigned int base = 0, actual = 0;
		u64 r = (guest_random(&seed) & ~0xff000ull) | lp << 12;

		switch (lp) {
		case 0x00:
			base = 24;
			actual = 24;
			break;
		case 0x03:
			base = 34;
			actual = 34;
			break;
		case 0x08:
			base = 16;
			actual = 24;
			break;
		case 0x38:
			base = 12;
			actual = 24;
			break;
		}
		if ((lp & 0xf) == 1) {
			base = 16;
			actual = 16;
		} else if ((lp & 0xf) == 7) {
			base = 12;
			actual = 16;
		}
		assert_int_equal(hpte_base_shift(HPTE_V_LARGE, r), base);
		assert_int_equal(hpte_actual_shift(HPTE_V_LARGE, r), actual);
		assert_int_equal(hpte_base_shift(0, r), 12);
		assert_int_equal(hpte_actual_shift(0, r), 12);
	}
}

static void recovers_the_whole_hash(void **state)
{
	unsigned int kind, order, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (order = HPT_MIN_ORDER; order <= HPT_MAX_ORDER; order++) {
			for (i = 0; i < ENTRIES; i++) {
				struct page page = random_page(kind);
				u64 group = hash_group(page_hash(&page),
						       page.secondary, order);

				if (page.secondary)
					group = ~group;
				assert_true((hpte_hash_high(page_v(&page),
							    page_r(&page)) |
					     (group & HPT_HASH_LOW)) ==
					    page_hash(&page));
			}
		}
	}
}

/* Every order to every other, itself too: right place, and the same slot. */
static void rehashes(void **state)
{
	unsigned int kind, from, to, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (from = HPT_MIN_ORDER; from <= HPT_MAX_ORDER; from++) {
			for (to = HPT_MIN_ORDER; to <= HPT_MAX_ORDER; to++) {
				for (i = 0; i < ENTRIES; i++) {
					struct page page = random_page(kind);
					u64 slot = random_slot();
					u64 seen;

					seen = hpte_rehash(page_v(&page),
							   page_r(&page),
							   index_in(&page, slot,
								    from),
							   from, to);
					assert_true(seen ==
						    index_in(&page, slot, to));
				}
			}
		}
	}
}

static void rehashes_the_vrma(void **state)
{
	static const struct page vrma = {
		.vsid = 0x1ffffff,
		.tera = true,
		.bolted = true,
		.prot = HPTE_R_RW,
	};
	unsigned int from, to, s;
	u64 nr;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct page page = vrma;

		if (sizes[s].base != sizes[s].actual)
			continue;
		page.base_shift = sizes[s].base;
		page.shift = sizes[s].base;
		for (nr = 0; nr < 4096; nr++) {
			page.offset = nr << page.shift;
			page.gpa = page.offset;
			assert_true(page_hash(&page) == vrma_hash(nr));
			assert_true(is_vrma(page_v(&page)));
			from = HPT_MIN_ORDER + nr % 20;
			to = HPT_MIN_ORDER + nr / 20 % 20;
			assert_true(hpte_rehash(page_v(&page), page_r(&page),
						index_in(&page, 7, from), from,
						to) == index_in(&page, 7, to));
		}
	}
}

/*
 * A table full to the last slot with whatever a guest can enter, in the right
 * place or, with H_EXACT, in any other: no two entries meet when it grows, and
 * shrinking it again leads each back.
 */
static void growing_never_collides(void **state)
{
	const unsigned int from = HPT_MIN_ORDER;
	const u64 n = 1ull << (from - 4);
	unsigned int to;

	for (to = from; to <= from + 10; to++) {
		unsigned char *taken = calloc(1, 1ull << (to - 4));
		u64 i;

		for (i = 0; i < n; i++) {
			u64 v = guest_random(&seed), r = guest_random(&seed);
			u64 index;

			if (i & 1) {
				struct page page = random_page(i % KINDS);

				v = page_v(&page);
				r = page_r(&page);
			}
			index = hpte_rehash(v, r, i, from, to);
			assert_true(index < 1ull << (to - 4));
			assert_int_equal(taken[index], 0);
			taken[index] = 1;
			assert_true(hpte_rehash(v, r, index, to, from) == i);
		}
		free(taken);
	}
}

/* Up to anywhere in one go, or by steps: the same place. */
static void grows_by_any_steps(void **state)
{
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 1000; i++) {
			struct page page = random_page(kind);
			u64 v = page_v(&page), r = page_r(&page);
			unsigned int order = HPT_MIN_ORDER;
			u64 slot = random_slot();
			u64 index = index_in(&page, slot, order);

			while (order < HPT_MAX_ORDER) {
				unsigned int to = order + 1 +
					guest_random(&seed) %
					(HPT_MAX_ORDER - order);

				index = hpte_rehash(v, r, index, order, to);
				order = to;
			}
			assert_true(index == index_in(&page, slot, order));
		}
	}
}

/* Both doublewords of POWER9's table, there and back. */
static void converts_formats(void **state)
{
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 1000; i++) {
			struct page page = random_page(kind);
			u64 v, r, v3, r3;

			/* ISA v3.0 gives the AVPN 52 - 7 bits. */
			page.vsid &= (1ull << (page.tera ? 28 : 40)) - 1;
			v = page_v(&page);
			r = page_r(&page);
			v3 = hpte_v2_to_v3_v(v);
			r3 = hpte_v2_to_v3_r(v, r);
			assert_int_equal(v3 >> 52, 0);
			assert_int_equal(r3 >> 58 & 3, page.tera);
			assert_true(hpte_v3_to_v2_v(v3, r3) == v);
			assert_true(hpte_v3_to_v2_r(r3) == r);
		}
	}
}

/* As H_ENTER leaves an entry that has no page of the host's. */
static void makes_absent_entries(void **state)
{
	const u64 key = HPTE_R_KEY_HI | HPTE_R_KEY_LO;
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 1000; i++) {
			struct page page = random_page(kind);
			u64 v = page_v(&page) | (i & 0x40);
			u64 r = page_r(&page) | (guest_random(&seed) & key);
			u64 av = hpte_absent_v(v);
			u64 ram = hpte_absent_r(v, r, false);
			u64 io = hpte_absent_r(v, r, true);

			assert_true(hpte_in_use(v) && hpte_in_use(av));
			assert_true(av == ((v & ~0x41ull) | 0x20));
			assert_int_equal(ram & key, 0);
			assert_int_equal(ram & HPTE_R_RPN &
					 -(1ull << page.shift), 0);
			assert_int_equal(ram & HPTE_R_PP, r & HPTE_R_PP);
			assert_true((io & key) == key);
			assert_true(!hpte_is_mmio(av, ram));
			assert_true(hpte_is_mmio(av, io));
			assert_true(!hpte_is_mmio(v, io));
			assert_int_equal(hpte_base_shift(av, ram),
					 page.base_shift);
			assert_int_equal(hpte_actual_shift(av, ram), page.shift);
			assert_int_equal(hpte_actual_shift(av, io), page.shift);
		}
	}
}

static void tells_pages_apart(void **state)
{
	unsigned int kind, i;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 1000; i++) {
			struct page page = random_page(kind), other = page;
			u64 v = page_v(&page), r = page_r(&page);
			u64 av = hpte_absent_v(v);

			assert_true(hpte_same_page(v, r, av, r ^ HPTE_R_R));
			assert_true(hpte_same_page(av, r ^ HPTE_R_PP, v, r));
			assert_false(hpte_same_page(v & ~HPTE_V_VALID, r, v, r));
			other.vsid ^= 1ull << guest_random(&seed) % 30;
			assert_false(hpte_same_page(v, r, page_v(&other),
						    page_r(&other)));
			other = page;
			other.gpa ^= 1ull << (page.shift +
					      guest_random(&seed) % 20);
			assert_false(hpte_same_page(v, r, page_v(&other),
						    page_r(&other)));
			other = page;
			other.secondary ^= 1;
			assert_false(hpte_same_page(v, r, page_v(&other),
						    page_r(&other)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_page_sizes),
		cmocka_unit_test(refuses_other_page_sizes),
		cmocka_unit_test(recovers_the_whole_hash),
		cmocka_unit_test(rehashes),
		cmocka_unit_test(rehashes_the_vrma),
		cmocka_unit_test(growing_never_collides),
		cmocka_unit_test(grows_by_any_steps),
		cmocka_unit_test(converts_formats),
		cmocka_unit_test(makes_absent_entries),
		cmocka_unit_test(tells_pages_apart),
	};

	return cmocka_run_group_tests_name("hpte", tests, NULL, NULL);
}
