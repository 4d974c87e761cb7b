# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: the reverse maps stay those of the old table
# test: resize_memslot
# spoils: memory
s/swap\(slot->memslot->arch.rmap, slot->rmap\);/(void)slot;/
