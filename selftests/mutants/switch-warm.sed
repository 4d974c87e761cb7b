# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: a notifier follows into the old table after the switch
# test: resize_warm
# test: resize_race
# spoils: memory
s/rs->vm->resizer->warm = NULL;//
