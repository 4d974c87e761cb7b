# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: the barriers between the change of an old slot and the look at the new one
# argued: all that the machines under an emulated CPU reorder is a store with a load behind it, for some nanoseconds
s/^	smp_mb\(\);//
