# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: slots of the new table that an old one no longer leads to
# test: resize_race
# test: resize_translate
/^void hvx_mirror_sync\(/,/^}/s/if \(j == to \|\| READ_ONCE\(.*\)\)/if (j == to)/
