# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/end.c
# takes out: the end of a VM does not wait for the worker that frees its tables
# test: resize_kill -t free_when_it_ends
# spoils: memory
/^void hvx_resize_end_destroy\(/,/^}/s/flush_work\(&rz->discard_work\);//
