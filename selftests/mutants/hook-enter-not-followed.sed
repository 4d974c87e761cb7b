# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: what H_ENTER has made is not told to the hooks
# test: resize_race
# test: resize_shrink_collision
/^static __always_inline long hvx_serve_one\(/,/^}/s/if \(hcall == HVX_HPT_ENTER && ret == H_SUCCESS\)/if (false)/
