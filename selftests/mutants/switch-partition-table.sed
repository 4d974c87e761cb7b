# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/switch.c
# takes out: the partition table keeps the old table
# test: resize_translate
# spoils: memory
s/^	mmu_partition_table_set_entry\(.*$/	(void)(dw0 +/
