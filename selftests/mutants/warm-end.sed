# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror.c
# takes out: a notifier follows into a table that was cancelled and is freed
# test: KVM_HV_EXT_LONG=10 resize_warm -v memslots
# test: resize_race
# spoils: memory
s/^	hvx_warm_end\(rs\);//
