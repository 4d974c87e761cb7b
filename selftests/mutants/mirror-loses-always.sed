# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_walk.c
# takes out: the look whether who finds a slot taken goes before who has it
# test: resize_shrink_collision
# test: resize_translate
/^static noinline bool hvx_mirror_try_lose\(/,/^}/s/lost = best < i;/lost = nr;/
