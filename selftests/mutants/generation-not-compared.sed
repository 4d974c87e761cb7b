# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: a table made while memslots were changing may be committed
# test: resize_seams -t begun_while_a_slot_comes
/^struct hvx_resize \*hvx_resize_current\(/,/^}/{
s/rz->pending->rmaps->generation != kvm_memslots\(kvm\)->generation/false/
}
