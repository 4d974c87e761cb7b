# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/warm.c
# takes out: an entry of the new table is not locked while it is unmapped, and there is time for an hcall
# test: KVM_HV_EXT_LONG=40 resize_warm -v discarded
# host: power10:6.12
# spoils: memory
/^static void hvx_warm_unmap_page\(/,/^}/{
s/if \(!try_lock_hpte\(hptep, HPTE_V_HVLOCK\)\)/if (false)/
s/^		gr = rs->hpt.*/&\n		udelay(500);/
}
