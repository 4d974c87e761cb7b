/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrored prepare: between the tables (mirror.c) and the hcalls (route.c).
 */
#ifndef KVM_HV_EXT_MIRROR_H
#define KVM_HV_EXT_MIRROR_H

#include "resize/resize.h"

/* mirror.c */
void hvx_mirror_sync(struct hvx_resize *rs, u64 index);

/* route.c */
int hvx_route_begin(struct hvx_resize *rs);
void hvx_route_end(struct hvx_resize *rs);
bool hvx_route_complete(struct hvx_resize *rs);
void hvx_route_keep_enter(struct hvx_vm *vm);

#endif /* KVM_HV_EXT_MIRROR_H */
