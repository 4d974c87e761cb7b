# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/hptes.h
# takes out: the barriers between the halves of an entry
# argued: an emulated CPU stores in order on the machines that it runs on
s/smp_wmb\(\);//
