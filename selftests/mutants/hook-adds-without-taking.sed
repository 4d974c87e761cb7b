# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: a hook takes no hcall away from the stock handlers
# test: resize_shrink_collision
# test: resize_race
/^void hvx_hook_add\(/,/^}/s/hvx_hcall_take\(ic, i\);/;/
