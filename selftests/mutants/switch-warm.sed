# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: a notifier follows into the old table after the switch, and there is time for one
# test: resize_warm
# test: resize_race
# spoils: memory
/^void hvx_switch\(/,/^}/{
s/rs->vm->resizer->warm = NULL;//
s/spin_unlock\(&kvm->mmu_lock\);/&\n	usleep_range(1000, 2000);/
}
