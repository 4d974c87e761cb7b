/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Warm tables: what a mirrored table needs so that its entries are valid before it is
 * the VM's (warm.c).
 */
#ifndef KVM_HV_EXT_WARM_H
#define KVM_HV_EXT_WARM_H

#include "resize/resize.h"

bool hvx_warm_wanted(void);
void hvx_warm_begin(struct hvx_resize *rs);
void hvx_warm_end(struct hvx_resize *rs);

bool hvx_warm_link(struct hvx_resize *rs, u64 j, u64 v, u64 gr);
void hvx_warm_unlink(struct hvx_resize *rs, u64 j, u64 v, u64 gr);

bool hvx_warm_linked(struct hvx_resize *rs, u64 j);
bool hvx_warm_chains_right(struct hvx_resize *rs);

/* The guest page in whose reverse map an entry stands: the first that it maps. */
static inline gfn_t hvx_warm_gfn(u64 v, u64 gr)
{
	return hpte_rpn(gr, 1UL << hpte_actual_shift(v, gr));
}

#endif /* KVM_HV_EXT_WARM_H */
