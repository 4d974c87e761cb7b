# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/end.c
# takes out: a timer that was set for another resize ends this one
# argued: whoever sets the timer takes it back from the one before; it would have to expire and then find the lock taken twice, for the next PREPARE and for the worker that has done with that
/^static void hvx_resize_timeout\(/,/^}/{
s/rz->pending->state == HVX_READY &&/rz->pending->state == HVX_READY)/
/time_after_eq\(/d
}
