# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror.c
# takes out: H_REMOVE is not followed up
# test: resize_race
/^static const struct hvx_hook_ops hvx_mirror_hook_ops/,/^}/s/ \| BIT\(HVX_HPT_REMOVE\)//
