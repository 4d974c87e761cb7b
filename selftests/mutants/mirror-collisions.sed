# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: two bolted entries that want one slot
# test: resize_shrink_collision -t bolted_after_prepare
/^bool hvx_mirror_want\(/,/^}/s/want->losers \|= HVX_MIRROR_COLLISION;/;/
