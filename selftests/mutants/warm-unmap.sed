# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/warm.c
# takes out: what the host unmaps is not unmapped from the new table
# test: KVM_HV_EXT_LONG=10 resize_warm -v discarded
# spoils: memory
/^void hvx_warm_unmap\(/,/^}/s/if \(!rs\)/if (true)/
