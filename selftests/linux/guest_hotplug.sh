#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_hotplug: QEMU plugs memory into a guest, whose stock kernel then finds its
# HPT too small and has it grow by itself, without a driver of ours, while a
# program compares every byte of its memory.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

# 64 KiB pages: an order more for each doubling, and 2 GiB are the last with 21.
first=21
dimm=2G
lmbs=8

kernel_order()
{
	guest exec 'cat /sys/kernel/debug/powerpc/hpt_order'
}

# plugged: the guest has all of the memory, or does not get it in two minutes.
plugged()
{
	guest exec -t 150 "tries=600
		until [ \$(dmesg | grep -c 'was hot-added') = $lmbs ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			usleep 200000
		done"
}

plan 5
guest start -m "256M,slots=1,maxmem=8G" || bail_out "the guest does not start"
same "$(kernel_order)" $first
report $? "an HPT for the memory that it starts with"

churn_begin 32
before=$(served)
guest monitor object_add memory-backend-ram,id=memory,size=$dimm,reserve=off &&
	guest monitor device_add pc-dimm,id=dimm,memdev=memory && plugged
report $? "the guest has $dimm more"
same "$(kernel_order)" $((first + 1))
report $? "its HPT has grown"
same "$(served)" $((before + 1))
report $? "kvm-hv-ext has served that"
churn_end
report $? "every byte as expected"
guest stop
ktap_finished
