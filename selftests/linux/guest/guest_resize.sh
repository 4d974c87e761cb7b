#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_resize [ROUNDS]: takes the HPT down by one, up two orders and down again
# while churn changes its mappings and compares every byte. KTAP; one test for
# each resize, one for churn, one for whether churn can tell.
#
# With 4 KiB pages the kernel's own entries alone can fill the HPT that a
# hypervisor calls adequate: there it goes up by one and back only.

# shellcheck source=selftests/lib/ktap.sh
. /guest/ktap.sh

rounds=${1:-1}
hpt=/sys/kernel/hpt
kernel=/sys/kernel/debug/powerpc/hpt_order

bail_out()
{
	kill "$churn" 2>/dev/null
	ktap_exit_fail_msg "$1"
}

# resize ORDER
resize()
{
	local from

	from=$(cat $hpt/order)
	echo "$1" >$hpt/order && [ "$(cat $hpt/order)" = "$1" ] &&
		[ "$(cat $kernel)" = "$1" ]
	report $? "resize from order $from to $1, prepare $(
		cat $hpt/last_prepare_us) us, commit $(
		cat $hpt/last_commit_us) us"
}

[ -d $hpt ] || insmod /guest/pseries-hpt.ko ||
	bail_out "pseries-hpt does not load"

# Half of what is free, on all CPUs.
free=$(sed -n 's/MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
mib=$((free / 2048))
mkfifo /tmp/churn.$$
churn -m $mib >/tmp/churn.$$ &
churn=$!
exec 3</tmp/churn.$$
rm /tmp/churn.$$

# A hypervisor refuses more than one above what it chose when the guest began.
top=$(cat $hpt/order)
orders="$((top - 1)) $top $((top + 1)) $top $((top - 1)) $top"
grep -m 1 KernelPageSize /proc/self/smaps | grep -q ' 4 kB' &&
	orders="$((top + 1)) $top"
# shellcheck disable=SC2086 # a list
set -- $orders

plan $((rounds * $# + 2))
read -r line <&3
echo "# $line"
case $line in
"churn: ready"*) ;;
*) bail_out "churn did not start" ;;
esac

i=0
while [ $i -lt "$rounds" ]; do
	for order; do
		resize "$order"
	done
	i=$((i + 1))
done

kill -TERM $churn
last=
while read -r line <&3; do
	echo "# $line"
	last=$line
done
wait $churn
report $? "churn: every byte as expected${last:+ (${last#churn: })}"

churn -m 8 -r 3 -x >/tmp/spoilt
status=$?
echo "# $(tail -n 1 /tmp/spoilt)"
[ $status = 1 ]
report $? "churn notices a wrong bit"
ktap_finished
