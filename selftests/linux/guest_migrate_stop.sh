#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate_stop: a guest that idles by stop, by a node, is migrated by stock QEMU to
# where it may stop as well. Without the node no QEMU takes it. By one that has stop off it
# is migrated all the same, and dies of its first stop: stock QEMU knows nothing of it.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh

profile=/sys/module/kvm_hv_ext/parameters/profile

# console_says PATTERN
console_says()
{
	guest console | grep -m 1 "$1"
}

plan 9
why=$(/build/selftests/guest_stop -t discovery | sed -n 's/.* # SKIP //p')
if [ -n "$why" ]; then
	skip_rest "a guest that stops" "$why"
	ktap_finished
fi
for mode in native emulate off; do
	echo "$mode,guest_stop=$mode" >$profile
done

guest start -m 256M -d /dev/kvm-native || bail_out "the guest does not start"
guest exec 'insmod /guest/pseries-hpt.ko && insmod /guest/pseries-stop.ko' ||
	bail_out "no guest that stops"
first=$(order)
churn_begin 24
idles
report $? "a guest idles by stop ($(figure mode))"
expect -m 256M -d /dev/kvm-emulate && depart && arrive
report $? "it is migrated"
same "$(figure mode)" emulate && idles
report $? "it idles by stop there (emulated)"
resize $((first + 1)) && resize "$first"
report $? "and is resized"
expect -m 256M -d /dev/kvm-native && depart && arrive && idles
report $? "it is migrated back, and idles ($(figure mode))"
turned_away 'No such file or directory' -m 256M -d /dev/kvm-nowhere
report $? "where the node is missing there is no QEMU to take it"
bytes_and_log
guest exec 'cd /sys/devices/system/cpu/cpu0/cpuidle
	echo 1 >state0/disable
	echo 1 >state2/disable'
expect -m 256M -d /dev/kvm-off && depart && arrive_silent &&
	within 30 console_says 'Oops\|Kernel panic'
report $? "by a node that has it off it dies of its first stop, as vmm.rst says"
stop_both
for mode in native emulate off; do
	echo "-$mode" >$profile
done
ktap_finished
