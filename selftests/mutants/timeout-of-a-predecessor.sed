# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: a timer that was set for another resize ends this one
# test: resize_seams -t timer_of_another
/^static void hvx_resize_timeout\(/,/^}/{
s/rz->pending->state == HVX_READY &&/rz->pending->state == HVX_READY)/
/time_after_eq\(/d
}
