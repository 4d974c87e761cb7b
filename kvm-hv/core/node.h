/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device nodes beside /dev/kvm, each with a profile for the VMs made through it.
 */
#ifndef KVM_HV_EXT_NODE_H
#define KVM_HV_EXT_NODE_H

struct hvx_vm;

void hvx_nodes_begin(void);
void hvx_nodes_end(void);
int hvx_node_vm(struct hvx_vm *vm);

#endif /* KVM_HV_EXT_NODE_H */
