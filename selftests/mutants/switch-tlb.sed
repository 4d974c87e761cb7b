# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: need_tlb_flush at the switch
# argued: from POWER9 on the change of the partition table flushes what the hardware has of the VM, and QEMU empties its TLB on a change of SDR1; on a POWER8 server old translations would remain
/cpumask_setall\(&kvm->arch.need_tlb_flush\);/d
