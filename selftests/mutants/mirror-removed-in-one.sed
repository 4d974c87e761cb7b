# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: H_REMOVE clears only one of the slots that the entry may be in
# test: resize_race
/^bool hvx_mirror_removed\(/,/^}/s/j \+= hpt_nr_hptes\(rs->from\)\)/j += n)/
