# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/warm.c
# takes out: a reverse map is not locked while an entry is put into it, and there is time for another
# test: KVM_HV_EXT_LONG=20 resize_warm -v discarded
# host: power10:6.12
# spoils: memory
/^static void hvx_warm_insert\(/,/^}/s/head = \*rmap.*/&\n		udelay(50);/
/^bool hvx_warm_link\(/,/^}/{
s/^	lock_rmap\(rmap\);//
s/^	unlock_rmap\(rmap\);//
}
