# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_walk.c
# takes out: that who wins a slot of a smaller table is not one of its losers
# test: resize_shrink_collision
# test: resize_translate
/^static noinline bool hvx_mirror_try_lose\(/,/^}/s/\(nr - 1\)/nr/
