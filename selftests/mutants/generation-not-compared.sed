# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: a table made while memslots were changing may be committed
# test: resize_seams -t begun_while_a_slot_comes
/^void hvx_resize_cancel_unfit\(/,/^}/{
s/rz->pending->rmaps->generation != kvm_memslots\(kvm\)->generation/false/
}
