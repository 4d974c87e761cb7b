# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/hcall.c
# takes out: how far the guest's memory lets it go by hcall
# test: resize_abi -t no_memory
# test: resize_abi -t order_slack
/^bool hvx_resize_hcall\(/,/^}/s/order > hvx_order_limit\(kvm\)\)/order > 64)/
