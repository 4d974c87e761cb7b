# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.h
# takes out: the barriers at the ends of a section
# argued: all that the machines under an emulated CPU reorder is a store with a load behind it, for some nanoseconds
s/^	smp_mb\(\);//
s/smp_store_release\(&entry->section, 0\)/WRITE_ONCE(entry->section, 0)/
