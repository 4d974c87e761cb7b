# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: an entry stays where it is in the reverse maps when another page takes its slot
# test: KVM_HV_EXT_LONG=4 resize_warm
# spoils: memory
/^static bool hvx_mirror_relink\(/,/^}/{
s/^	if \(linked && valid &&$/	if (linked \&\& valid)/
/^	    hvx_warm_gfn\(v, gr\) ==/d
}
