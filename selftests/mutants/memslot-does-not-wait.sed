# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: a change of memslots does not wait for the harvest
# test: resize_seams
# test: resize_memslot
/^static int hvx_prepare_memory_region\(/,/^}/s/hvx_harvest_wait\(.*\);//
