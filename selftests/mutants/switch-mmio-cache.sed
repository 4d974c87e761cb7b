# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: mmio_update at the switch: translations of MMIO that KVM has cached
# test: resize_seams -t mmio_cache
s/atomic64_inc\(&kvm->arch.mmio_update\);//
