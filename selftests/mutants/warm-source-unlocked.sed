# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: the old entry is let go before the new one is linked, and there is time for a notifier
# test: KVM_HV_EXT_LONG=20 resize_warm -v discarded
# host: power10:6.12
# spoils: memory
/^static bool hvx_mirror_try_sync_slot\(/,/^}/{
s/^	linked = hvx_mirror_relink\(.*/	if (want.source) {\n		hvx_hpte_unlock(want.source);\n		udelay(50);\n	}\n&/
s/^	hvx_mirror_let_go\(&want\);//
}
