/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrored prepare: what it keeps of a resize beside what every strategy needs, and what
 * its parts offer each other. mirror_slot.c has the one operation, mirror_walk.c does it for
 * whole tables, mirror_verify.c looks whether it has been done right.
 */
#ifndef KVM_HV_EXT_MIRROR_H
#define KVM_HV_EXT_MIRROR_H

#include <linux/atomic.h>

#include "base/base.h"
#include "resize/resize.h"

/* HPTEs between two looks at whether to go on. */
#define HVX_MIRROR_CHUNK	4096

/*
 * For each slot of a smaller table: how many entries had to give way for it, fewer than
 * 2^HVX_MIRROR_MAX_ORDERS, and whether it is collided. Protected by the slot's lock.
 */
#define HVX_MIRROR_LOSERS	0x7f
#define HVX_MIRROR_COLLISION	0x80

struct hvx_mirror {
	struct hvx_resize *rs;
	struct hvx_hook hook;		/* follows up each hcall, until COMMIT */
	bool warm;			/* entries are valid where they can be */
	u8 *losers;			/* for each slot of a smaller table */
	atomic64_t collisions;		/* slots that two bolted entries want */
};

/* What a slot of the new table should hold. */
struct hvx_wanted {
	struct hvx_entry e;
	__be64 *source;		/* the old HPTE, locked, or NULL if there is none */
	u8 losers;		/* HVX_MIRROR_COLLISION too */
};

static inline struct hvx_mirror *hvx_mirror_of(struct hvx_resize *rs)
{
	return rs->data;
}

/**
 * hvx_mirror_let_go() - unlock the old entry that a slot comes from
 * @want: as filled in by hvx_mirror_want()
 */
static inline void hvx_mirror_let_go(struct hvx_wanted *want)
{
	if (want->source)
		hvx_hpte_unlock(want->source);
	want->source = NULL;
}

bool hvx_mirror_want(struct hvx_resize *rs, u64 j, struct hvx_wanted *want);
void hvx_mirror_lose(struct hvx_resize *rs, u64 j, u8 losers);
void hvx_mirror_sync_slot(struct hvx_resize *rs, u64 j);
void hvx_mirror_sync(struct hvx_resize *rs, u64 index);
bool hvx_mirror_removed(struct hvx_resize *rs, u64 index);

u64 hvx_mirror_walk_chunk(struct hvx_resize *rs, u64 i, u64 end);
u64 hvx_mirror_warm_chunk(struct hvx_resize *rs, u64 j, u64 end);
bool hvx_mirror_entered(struct hvx_resize *rs, u64 index);

int hvx_mirror_verify(struct hvx_resize *rs);

#endif /* KVM_HV_EXT_MIRROR_H */
