# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: COMMIT does not ask under the locks whether the VM is radix
# test: resize_abi
# argued: the switch to radix cancels what is pending, under the hpt_lock that COMMIT holds, and PREPARE begins none for a radix VM
/^static int hvx_commit_exchange\(/,/^}/s/if \(kvm_is_radix\(kvm\)\)/if (false)/
