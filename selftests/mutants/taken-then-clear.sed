# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: the barriers between an hcall's two bits
# argued: the atomic operations around them are full barriers on the machines that an emulated CPU runs on
s/smp_mb__after_atomic\(\);//
