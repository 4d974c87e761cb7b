#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_refused radix|firmware: in a guest that cannot resize its HPT, because
# it has none or because the hypervisor does not offer it, the driver does not
# load and says why. KTAP.

# shellcheck source=selftests/lib/ktap.sh
. /guest/ktap.sh

case ${1:-} in
radix) reason="uses the radix MMU" ;;
firmware) reason="does not offer to resize" ;;
*) ktap_exit_fail_msg "usage: guest_refused radix|firmware" ;;
esac
plan 3
dmesg -c >/dev/null
answer=$(insmod /guest/pseries-hpt.ko 2>&1)
echo "# ${answer:-insmod said nothing}"

case $answer in
*"No such device"*) true ;;
*) false ;;
esac
report $? "insmod says: No such device"

# Some insmod programs try a second system call when the first one fails.
dmesg | grep "pseries_hpt: " | sed 's/^/# /'
dmesg | grep -q "pseries_hpt: not loaded: .*$reason"
report $? "the log says: $reason"

[ ! -e /sys/kernel/hpt ] && ! grep -q '^pseries_hpt' /proc/modules
report $? "nothing is left behind"
ktap_finished
