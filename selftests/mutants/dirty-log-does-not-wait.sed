# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: the dirty log is read without waiting for the harvest
# test: resize_dirty -t commit
# test: resize_dirty -t before
/^static void hvx_hpt_lock\(/,/^}/s/hvx_harvest_wait\(.*\);//
