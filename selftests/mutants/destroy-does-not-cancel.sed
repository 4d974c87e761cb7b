# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: the end of a VM ends no resize
# test: resize_kill
# spoils: memory
/^void hvx_resizer_destroy\(/,/^}/s/hvx_resize_cancel\(vm, HVX_CANCEL_DESTROY\);//
