#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_idle VCPUS [SECONDS]: a Linux guest that idles by stop, at rest and under
# load and with its HPT resized, native where that is offered, and moves to a host
# that emulates stop, and back. Each phase of idling takes SECONDS (5). Guests have it
# by the node that stock QEMU makes them through, the radix guest by the module's
# parameter.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

seconds=${2:-5}
parameters=/sys/module/kvm_hv_ext/parameters
before=$(cat $parameters/guest_stop)

# start OPTION...: a guest.
start()
{
	guest start -smp "$vcpus" "$@" || return 1
	# The first command may meet what the guest said when it came up.
	guest exec true >/dev/null 2>&1 || guest exec true
}

# nodes +|-: makes or takes away those that the guests are made through.
nodes()
{
	for mode in off emulate native; do
		case $1 in
		+) echo "idle-$mode,guest_stop=$mode" ;;
		-) echo "-idle-$mode" ;;
		esac >$parameters/profile
	done
}

# refused NODE PATTERN: QEMU ends, and says this.
refused()
{
	! guest start -d "$1" >/tmp/refused 2>&1 && grep "$2" /tmp/refused
}

# asks yes|no: a guest that may not stop does not get the driver, which has asked or has not.
asks()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "expected=$1"'
	cd /sys/kernel/tracing
	dmesg -c >/dev/null
	echo >trace
	echo "opcode == 0xf7f0" >events/powerpc/hcall_entry/filter
	echo 1 >events/powerpc/hcall_entry/enable
	insmod /guest/pseries-stop.ko 2>/dev/null
	status=$?
	echo 0 >events/powerpc/hcall_entry/enable
	grep -q hcall_entry: trace && asked=yes || asked=no
	echo "# asked: $asked"
	[ $status != 0 ] && [ $asked = $expected ] &&
		dmesg | grep "hypervisor does not let this guest stop"'
}

# states: their names.
states()
{
	guest exec 'cat /sys/devices/system/cpu/cpu0/cpuidle/state*/name' | xargs
}

# idle_by_stop: has the guest do nothing, by stop0lite only. True if each CPU says
# that it spent a good part of the time there.
idle_by_stop()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "seconds=$seconds"'
	cd /sys/devices/system/cpu
	total=$(echo cpu[0-9]*/cpuidle/state1/time | wc -w)
	allow() { for file in cpu[0-9]*/cpuidle/state[02]/disable; do
			echo $1 >$file; done; }
	allow 1
	spent=$(cat cpu[0-9]*/cpuidle/state1/time)
	sleep $seconds
	i=0
	for file in cpu[0-9]*/cpuidle/state1/time; do
		i=$((i + 1))
		now=$(cat $file)
		was=$(echo $spent | cut -d " " -f $i)
		echo "# $file: $(((now - was) / 1000)) of $((seconds * 1000)) ms"
		[ $((now - was)) -gt $((seconds * 250000)) ] &&
			total=$((total - 1))
	done
	allow 0
	[ $total = 0 ]'
}

# left_by_time: where CEDE is there but its latency is not allowed, a stop that nothing
# ends is left soon all the same, so that the governor may think again: there are many more
# stops than interrupts. But not so soon that it learns the wrong thing: it must have been so
# long that CEDE would have been right, which the kernel counts as "below", by the same times
# that a governor goes by. (Those that an interrupt ends may be shorter, and a few more find
# something to do already. How long one is on average tells nothing on a host that is busy
# itself.)
left_by_time()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "seconds=$seconds"'
	exec 4>/dev/cpu_dma_latency
	printf "\005\000\000\000" >&4
	# Those of the first CPU.
	interrupts() {
		awk "NR > 1 && \$2 ~ /^[0-9]+\$/ { n += \$2 } END { print n }" \
			/proc/interrupts
	}
	cd /sys/devices/system/cpu/cpu0/cpuidle/state1
	came=$(interrupts)
	set -- $(cat usage below)
	sleep $seconds
	set -- $(cat usage below) $1 $2
	came=$(($(interrupts) - came))
	usage=$(($1 - $3))
	short=$((usage - ($2 - $4)))
	echo "# $usage stops, $short of them too short for CEDE, $came interrupts"
	[ $usage -gt $((seconds * 100)) ] && [ $usage -gt $((2 * came)) ] &&
		[ $short -le $((2 * came + usage / 50)) ]'
}

# busy: a program at work, while the governors take turns and the HPT is resized.
busy()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec -t 100 'governors=/sys/devices/system/cpu/cpuidle
	order=/sys/kernel/hpt/order
	insmod /guest/pseries-hpt.ko || exit 1
	first=$(cat $order)
	resized=0
	(churn -m 64 -r 2 >/tmp/churn 2>&1; echo over >>/tmp/churn) &
	until grep -q over /tmp/churn; do
		for name in $(cat $governors/available_governors); do
			echo $name >$governors/current_governor
			echo $((first + 1)) >$order && echo $first >$order ||
				exit 1
			resized=$((resized + 2))
		done
	done
	echo menu >$governors/current_governor
	grep OK /tmp/churn | sed "s/^/# $resized resizes, /"
	grep -q OK /tmp/churn && [ $resized -gt 0 ]'
}

# replaced: the driver goes and comes while a program is at work.
replaced()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec -t 100 'replaced=0
	(churn -m 64 -r 2 >/tmp/churn 2>&1; echo over >>/tmp/churn) &
	until grep -q over /tmp/churn; do
		rmmod pseries-stop && insmod /guest/pseries-stop.ko || exit 1
		replaced=$((replaced + 1))
	done
	grep OK /tmp/churn | sed "s/^/# replaced $replaced times, /"
	grep -q OK /tmp/churn && [ $replaced -gt 0 ]'
}

# emulated_as_meant COUNT: a native stop is none of the module's business.
emulated_as_meant()
{
	case $mode in
	native) [ "$1" = 0 ] ;;
	*) [ "$1" -gt 100 ] ;;
	esac
}

vcpus=${1:?usage: guest_idle VCPUS [SECONDS]}
plan 19
why=$(/build/selftests/guest_stop -t discovery | sed -n 's/.* # SKIP //p')
if [ -n "$why" ]; then
	skip_rest "a guest that stops" "$why"
	ktap_finished
fi

refused /dev/kvm-idle-native 'No such file or directory'
report $? "stock QEMU makes no guest through a node that is not there"
nodes +
echo idle-odd,hpt_max_page_shift=34 >$parameters/profile
refused /dev/kvm-idle-odd 'KVM_CREATE_VM.* failed: Operation not supported'
report $? "nor with a profile that this host cannot honour"
echo -idle-odd >$parameters/profile

export GUEST=off
start -d /dev/kvm-idle-off -smp 1 -m 256M || bail_out "the guest does not start"
asks yes
report $? "without the hypervisor's word the driver does not load"
# What makes it KVM's guest; the property would do, but a node is gone by one line.
guest exec 'printf "remove_node /hypervisor" >/proc/powerpc/ofdt' && asks no
report $? "it does not ask a hypervisor that is not KVM"

GUEST=g0
start -d /dev/kvm-idle-native || bail_out "the guest does not start"
mode=$(figure mode)
stock=$(states)
guest exec 'insmod /guest/pseries-stop.ko'
[ "$mode" != off ] && same "$(GUEST=off figure mode)" off &&
	! GUEST=off guest exec 'insmod /guest/pseries-stop.ko' 2>/dev/null
report $? "two guests at a time, one that stops ($mode) and one that does not"
GUEST=off guest stop
now=$(states)
same "$now" "${stock%% *} stop0lite ${stock#* }"
report $? "stop0lite is between the states there were: $now"
idle_by_stop
report $? "idle by stop only ($mode)"
count=$(figure emulated)
emulated_as_meant "$count"
report $? "$count of them came by the module"
left_by_time
report $? "a stop that nothing ends is left by time"
rest_after_bursts "$seconds" "$vcpus"
report $? "it rests after bursts of interrupts"
busy
report $? "a program at work while governors take turns and the HPT is resized"
replaced
report $? "the driver goes and comes under load"

move()
{
	guest save /tmp/saved && start -d "/dev/kvm-idle-$1" -i /tmp/saved ||
		return 1
	echo "# now: $(figure mode), on for $(guest exec 'cut -d " " -f 1 /proc/uptime') s"
	[ "$(figure mode)" = "$2" ] && idle_by_stop
}

if [ "$mode" = native ]; then
	move emulate emulate
	report $? "it is saved and goes on where stop is emulated"
	rest_after_bursts "$seconds" "$vcpus"
	report $? "and rests after bursts of interrupts there"
	move native native
	report $? "and back"
else
	skip "from native to emulated" "no native guest stop: see guest_stop_native"
	skip "at rest after that" "no native guest stop: see guest_stop_native"
	skip "from emulated to native" "no native guest stop: see guest_stop_native"
fi

guest exec 'rmmod pseries-stop'
[ "$(states)" = "$stock" ] && guest exec 'sleep 1'
report $? "without the driver the kernel's own is back: $(states)"
log_is_clean
report $? "nothing alarming in the guest's log"

echo native >$parameters/guest_stop
start -r yes || bail_out "the radix guest does not start"
guest exec 'grep -q "MMU.*Radix" /proc/cpuinfo && insmod /guest/pseries-stop.ko' &&
	idle_by_stop
report $? "a radix guest idles by stop, too"
rest_after_bursts "$seconds" "$vcpus"
report $? "and rests after bursts of interrupts"
guest stop
echo "$before" >$parameters/guest_stop
nodes -
ktap_finished
