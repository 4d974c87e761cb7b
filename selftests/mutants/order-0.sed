# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/reset.c
# takes out: that no table of order 0 is asked for
# test: resize_reset -t order_0
s/return !\(int\)order;/return false;/
