#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_smt [THREADS...]: guests whose cores have so many threads (2, 4 and 8) resize, with a
# program at work in each that compares every byte of its memory.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

# What QEMU says when KVM has no such threads on this host.
no_smt='SMT mode|VSMT mode|threads per core'

# up_and_down: one order up and back, twice.
up_and_down()
{
	local first

	first=$(order) &&
		resize $((first + 1)) && resize "$first" &&
		resize $((first + 1)) && resize "$first"
}

[ $# -gt 0 ] || set -- 2 4 8
plan $(($# * 3))
for threads; do
	if ! guest start -m 512M -smp "$threads,threads=$threads" 2>/tmp/why; then
		sed 's/^/# /' /tmp/why
		why=$(grep -m 1 -E "$no_smt" /tmp/why)
		[ -n "$why" ] || bail_out "the guest does not start"
		for what in "a core" "resizes" "bytes"; do
			skip "$threads threads: $what" "${why#*: }"
		done
		continue
	fi
	guest exec 'insmod /guest/pseries-hpt.ko' || bail_out "no guest driver"
	guest exec "[ \$(cat /sys/devices/system/cpu/cpu0/topology/thread_siblings_list) = \
		0-$((threads - 1)) ]"
	report $? "$threads threads: a core"
	churn_begin 64
	up_and_down
	report $? "$threads threads: resizes"
	churn_end && log_is_clean
	report $? "$threads threads: bytes"
done
guest stop
ktap_finished
