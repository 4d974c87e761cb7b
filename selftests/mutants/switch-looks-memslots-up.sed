# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: the switch knows its memslots
# test: resize_memslot -t commit_among_many
/^void hvx_switch\(/,/^}/s/swap\(slot->memslot->arch.rmap,/swap(id_to_memslot(kvm_memslots(kvm), slot->memslot->id)->arch.rmap,/
