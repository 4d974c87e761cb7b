# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: an entry that the guest has removed stays in its reverse map
# test: KVM_HV_EXT_LONG=4 resize_warm
# spoils: memory
/^static bool hvx_mirror_try_clear\(/,/^}/s/^	if \(v & HPT_V_VALID\)$/	if (false)/
