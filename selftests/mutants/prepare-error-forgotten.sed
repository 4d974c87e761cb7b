# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: the error of PREPARE
# test: resize_nomem -t each_allocation
/^static void hvx_resize_prepared\(/,/^}/{
s/rs->error = ret;/rs->error = 0;/
}
