/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrored prepare: what it keeps of a resize beside what every strategy needs.
 */
#ifndef KVM_HV_EXT_MIRROR_H
#define KVM_HV_EXT_MIRROR_H

#include <linux/atomic.h>

#include "base/base.h"
#include "resize/resize.h"

struct hvx_mirror {
	struct hvx_resize *rs;
	struct hvx_hook hook;		/* follows up each hcall, until COMMIT */
	bool warm;			/* entries are valid where they can be */
	u8 *losers;			/* for each slot of a smaller table */
	atomic64_t collisions;		/* slots that two bolted entries want */
};

static inline struct hvx_mirror *hvx_mirror_of(struct hvx_resize *rs)
{
	return rs->data;
}

#endif /* KVM_HV_EXT_MIRROR_H */
