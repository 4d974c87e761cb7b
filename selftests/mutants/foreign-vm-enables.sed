# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/caps.c
# takes out: KVM_ENABLE_CAP does not ask whether the VM is ours
# test: module_lifecycle -t older_vm
# spoils: the VMM's process
/^static long hvx_enable_cap\(/,/^}/s/if \(!vm \|\| cap->flags\)/if (cap->flags)/
