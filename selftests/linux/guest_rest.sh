#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_rest [KERNEL [MODE [SLEEP...]]]: whether a vCPU rests that was woken again and again
# before, by 3,000 sleeps of SLEEP microseconds each (20, 35 ... 95), with each governor that
# learns: MODE is what the guest gets of stop (native). For a host whose clock counts
# instructions (lab/host --icount), as on any other a stop takes so long that no governor
# prefers it.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

kernel=${1:-6.12}
wanted=${2:-native}
shift $(($# < 2 ? $# : 2))
sleeps=${*:-20 35 50 65 80 95}
profile=/sys/module/kvm_hv_ext/parameters/profile

# rests SLEEP: from half a second after the last of them on, for 5 s, of which the
# host looks at 3.
rests()
{
	local count status

	rm -f /tmp/rest
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec -t 100 "sleep=$1"'
	bursts 3000 $sleep $sleep 1 | sed "s/^/# sleeps of /"
	usleep 500000
	cd /sys/devices/system/cpu/cpu0/cpuidle
	rested=$(cat state2/time)
	stopped=$(cat state1/usage)
	echo "# resting"
	sleep 5
	rested=$((($(cat state2/time) - rested) / 5000))
	echo "# $((rested / 10)).$((rested % 10)) % of the time in CEDE," \
		"$(($(cat state1/usage) - stopped)) times in stop0lite"
	[ $rested -ge 950 ]' >/tmp/rest &
	until grep -qs resting /tmp/rest || ! kill -0 $! 2>/dev/null; do
		usleep 50000
	done
	count=$(figure emulated)
	sleep 3
	count=$(($(figure emulated) - count))
	wait $!
	status=$?
	grep -v resting /tmp/rest
	echo "# $count emulated stops in 3 s"
	[ $status = 0 ] && [ $count -le 150 ]
}

echo "rest,guest_stop=$wanted" >$profile
guest start -k "$kernel" -d /dev/kvm-rest -m 512M || bail_out "the guest does not start"
guest exec 'insmod /guest/pseries-stop.ko' || bail_out "it does not get stop0lite"
governors=$(guest exec 'cat /sys/devices/system/cpu/cpuidle/available_governors' |
	grep -ow 'menu\|teo' | xargs)
plan $(($(echo "$governors" | wc -w) * $(echo "$sleeps" | wc -w) + 1))
mode=$(figure mode)
for governor in $governors; do
	guest exec "echo $governor >/sys/devices/system/cpu/cpuidle/current_governor"
	for sleep in $sleeps; do
		rests "$sleep"
		report $? "$kernel, $governor, $mode, after sleeps of $sleep us"
	done
done
log_is_clean
report $? "nothing alarming in the guest's log"
guest stop
echo -rest >$profile
ktap_finished
