# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror.c
# takes out: what the host unmaps is unmapped from the new table only when the walk is over, and there is time for that before
# test: KVM_HV_EXT_LONG=10 resize_warm -v discarded
# spoils: memory
/^static int hvx_mirror_begin\(/,/^}/{
/->warm\)$/d
/hvx_warm_begin/d
}
s/^	if \(!ret && mirror->warm\)$/&\n		msleep(20);\n&\n		hvx_warm_begin(rs);\n&/
