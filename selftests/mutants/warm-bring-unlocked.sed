# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_walk.c
# takes out: the old entry is let go by the walk before the new one is linked, and there is time for a notifier
# test: KVM_HV_EXT_LONG=40 resize_warm -v discarded
# host: power10:6.12
# spoils: memory
/^hvx_mirror_try_bring\(/,/^}/{
s/^	hvx_hpte_unlock\(source\);/	if (!brought)\n	&/
s/^	brought = true;/	hvx_hpte_unlock(source);\n	udelay(500);\n&/
}
