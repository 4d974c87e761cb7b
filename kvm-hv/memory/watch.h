/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Watching for memory that goes although somebody needs it to stay.
 */
#ifndef KVM_HV_EXT_WATCH_H
#define KVM_HV_EXT_WATCH_H

struct hvx_balloon;
struct hvx_vm;

void hvx_watch_init(struct hvx_balloon *b);
void hvx_watch_begin(struct hvx_vm *vm);
void hvx_watch_begin_atomic(struct hvx_vm *vm);
void hvx_watch_end(struct hvx_vm *vm);

#endif /* KVM_HV_EXT_WATCH_H */
