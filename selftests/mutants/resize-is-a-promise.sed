# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/holders.c
# takes out: a resize that holds is no promise
# test: balloon -t resize_is_no_promise
/^bool hvx_holders_promised\(/,/^}/s/h->total > h->count\[HVX_HOLDER_RESIZE\]/h->total > 0/
