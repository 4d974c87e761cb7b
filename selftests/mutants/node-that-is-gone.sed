# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/node.c
# takes out: a node that was taken away makes no VMs
# test: nodes -t removed_while_open
/^static long hvx_node_create_vm\(/,/^}/s/if \(READ_ONCE\(profile->gone\)\)/if (false)/
