// SPDX-License-Identifier: GPL-2.0
/*
 * hcalls ORDER [STATE...]: how many pairs of H_ENTER and H_REMOVE a guest gets
 * through in a second: without kvm-hv-ext (absent), with the module loaded and
 * idle, and with a mirrored resize by one order, up (mirror) or down
 * (mirror-shrink), prepared and not committed. All, or these only.
 *
 * Prints "hcalls STATE ORDER TO PAIRS NS" for each; lab/bench reads it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "contents.h"
#include "guest.h"

#define PAIRS		20000ull
#define BATCH		2048		/* different pages, then again */
#define BATCH_VSID	0x123456ull
#define BATCH_SLOT	6		/* of a group: never taken by the contents */

static struct {
	u64 ticks;
} seen;

static void guest_pairs(u64 order, u64 gpa)
{
	u64 i, start = guest_timebase();

	for (i = 0; i < PAIRS; i++) {
		struct page page = {
			.vsid = BATCH_VSID,
			.offset = i % BATCH << CONTENTS_SHIFT,
			.gpa = gpa,
			.prot = HPTE_R_RW | HPTE_R_R | HPTE_R_C,
			.base_shift = CONTENTS_SHIFT,
			.shift = CONTENTS_SHIFT,
			.tera = true,
		};
		u64 group = hash_group(page_hash(&page), false, order);
		u64 index = group * HPTES_PER_GROUP + BATCH_SLOT;
		long ret;

		ret = guest_hcall4(H_ENTER, H_EXACT, index, page_v(&page),
				   page_r(&page));
		GUEST_ASSERT_EQ(H_SUCCESS, ret);
		ret = guest_hcall4(H_REMOVE, 0, index, 0, 0);
		GUEST_ASSERT_EQ(H_SUCCESS, ret);
	}
	seen.ticks = guest_timebase() - start;
}

/* @to: order that a resize is prepared for, 0 for none */
static void measure(const struct contents *contents, const char *state,
		    const struct contender *who, unsigned int to)
{
	struct vm *vm;
	struct page page;
	u64 ns;

	module_want(who);
	vm = contents_vm(contents, who ? who->strategy : 0, 1);
	contents_page(0, true, &page);
	if (to)
		prepare(vm, to);
	vcpu_call(&vm->vcpu[0], guest_pairs, vm->order, page.gpa);
	ns = ticks_ns(vm_guest(vm, seen)->ticks);
	printf("hcalls %s %u %u %llu %lu\n", state, vm->order, to ?: vm->order,
	       PAIRS, (long)ns);
	fflush(stdout);
	contents_vm_end(vm);
}

static const struct state {
	const char *name;
	const char *contender;	/* or NULL for stock KVM */
	int by;			/* orders that a resize is prepared for */
} states[] = {
	{ "absent", NULL, 0 },
	{ "idle", "mirror", 0 },
	{ "mirror", "mirror", 1 },
	{ "mirror-shrink", "mirror", -1 },
};

static bool wanted(const char *state, char **argv)
{
	if (!*argv)
		return true;
	for (; *argv; argv++)
		if (!strcmp(state, *argv))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned int order = argc > 1 ? atoi(argv[1]) : 0;
	const struct state *state;
	struct contents contents;

	if (order <= HPT_MIN_ORDER || order >= HPT_MAX_ORDER)
		die("usage: hcalls ORDER [STATE...]");
	contents_init(&contents, order);
	for (state = states; state < states + ARRAY_SIZE(states); state++)
		if (wanted(state->name, argv + 2))
			measure(&contents, state->name,
				state->contender ? contender(state->contender) : NULL,
				state->by ? order + state->by : 0);
	contents_free(&contents);
	return 0;
}
