# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: the error of an argument of PREPARE and COMMIT that is not in memory
# test: resize_seams -t no_argument
/^static int hvx_resize_ioctl/,/^}/s/return -EFAULT;/memset(\&rhpt, 0, sizeof(rhpt));/
