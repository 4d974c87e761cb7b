/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Balloon inhibit: to hold a VM's memory where it is.
 */
#ifndef KVM_HV_EXT_BALLOON_H
#define KVM_HV_EXT_BALLOON_H

#include "memory/holders.h"

struct file;
struct hvx_vm;

void hvx_balloon_get(struct hvx_vm *vm, enum hvx_holder who);
void hvx_balloon_get_atomic(struct hvx_vm *vm, enum hvx_holder who);
void hvx_balloon_put(struct hvx_vm *vm, enum hvx_holder who);
void hvx_balloon_put_all(struct hvx_vm *vm, enum hvx_holder who);
int hvx_balloon_ioctl(struct hvx_vm *vm, struct file *vm_file, void __user *argp);

#endif /* KVM_HV_EXT_BALLOON_H */
