# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: ptesync on each CPU before the table is read
# argued: QEMU writes R and C at once
s/asm volatile\("ptesync" : : : "memory"\);//
