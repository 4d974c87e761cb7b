#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_state: stock QEMU saves and restores a guest whose HPT has been
# resized, with a program at work in it, and resets it. The state that is loaded
# has another HPT order than the guest at that moment, so QEMU must follow. Uses
# the guest that runs already, or starts one.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

plan 9
guest exec true 2>/dev/null || guest start ||
	bail_out "the guest does not start"
guest exec '[ -d /sys/kernel/hpt ] || insmod /guest/pseries-hpt.ko' ||
	bail_out "no guest driver"
first=$(order)
big=$((first + 1))
churn_begin 128

resize $big
report $? "the HPT grows from order $first to $big"
answer=$(guest monitor savevm resized)
report $? "savevm${answer:+: $answer}"
resize "$first"
report $? "the HPT shrinks to order $first"
answer=$(guest monitor loadvm resized)
report $? "loadvm${answer:+: $answer}"
[ "$(order)" = $big ]
report $? "the guest is back at order $big"
resize "$first"
report $? "it can be resized after loadvm"
churn_end
report $? "its memory is as it left it"

resize $big
guest reboot && guest exec 'insmod /guest/pseries-hpt.ko' &&
	now=$(order) && [ -n "$now" ]
report $? "it reboots after a resize (order $big, then ${now:-unknown})"
resize $((now + 1))
report $? "it can be resized after the reboot"
guest stop
ktap_finished
