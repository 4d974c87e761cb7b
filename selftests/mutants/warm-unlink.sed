# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: an entry that gives way for another stays in its reverse map
# test: KVM_HV_EXT_LONG=4 resize_warm
# spoils: memory
/^static bool hvx_mirror_relink\(/,/^}/s/^	if \(linked\)$/	if (false)/
