# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: orders that KVM's reverse maps cannot name
# test: resize_abi -t beyond_the_reverse_maps
/^int hvx_resize_prepare\(/,/^}/s/ \|\| order > HVX_ORDER_MAX//
