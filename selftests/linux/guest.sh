# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests on the emulated host do with a Linux guest. To be sourced.

# shellcheck source=selftests/lib/ktap.sh
. /selftests/lib/ktap.sh
# shellcheck source=selftests/lib/alarms.sh
. /selftests/lib/alarms.sh

# bail_out WHY: nothing more is tried, and no guest of anybody's stays.
bail_out()
{
	guest stop all
	ktap_exit_fail_msg "$1"
}

# within SECONDS COMMAND...: it is true by then. It is asked ten times a second.
within()
{
	local tries=$(($1 * 10))

	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 100000
	done
}

# each COMMAND...: for each of $guests guests, by its name in $GUEST, g0 and so on; fails if
# it does for one.
# shellcheck disable=SC2154 # whoever has several says how many
each()
{
	local failed=0 number=0

	while [ $number -lt "$guests" ]; do
		GUEST=g$number
		"$@" || failed=1
		number=$((number + 1))
	done
	export GUEST=g0
	return $failed
}

# served: resizes of the running guest that kvm-hv-ext has served so far.
served()
{
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/counters 2>/dev/null |
		awk '$1 == "commits" { print $2 }'
}

# order: the guest's HPT order, if its driver and its kernel agree on it.
order()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest exec 'a=$(cat /sys/kernel/hpt/order)
		    b=$(cat /sys/kernel/debug/powerpc/hpt_order)
		    [ "$a" = "$b" ] && echo "$a"'
}

# tree ORDER CORES: the device tree, which kexec gives to the next kernel, has so many, and
# says so for each.
tree()
{
	guest exec "n=0
		for file in \$(find /proc/device-tree/cpus -name ibm,pft-size); do
			set -- \$(od -A n -t x1 \$file)
			[ \$((0x\$8)) = $1 ] || exit 1
			n=\$((n + 1))
		done
		[ \$n = $2 ]"
}

# resize ORDER: by the guest's driver.
resize()
{
	guest exec "echo $1 >/sys/kernel/hpt/order" && [ "$(order)" = "$1" ]
}

# churn_begin MIB: a program in the guest changes mappings and compares their bytes.
churn_begin()
{
	guest exec "churn -m $1 >/tmp/churn 2>&1 & echo \$! >/tmp/pid
		    until grep -q ready /tmp/churn; do usleep 100000; done"
}

# churn_end: it ends, and has found every byte as expected.
churn_end()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest exec -t 60 'kill -TERM $(cat /tmp/pid)
		    while grep -q "^churn" /proc/$(cat /tmp/pid)/comm; do
			usleep 100000
		    done 2>/dev/null
		    tail -n 1 /tmp/churn | grep OK'
}

# log_is_clean: the guest has a log, and nothing alarming is in it.
log_is_clean()
{
	guest exec dmesg >/tmp/guest.dmesg && [ -s /tmp/guest.dmesg ] &&
		! alarms /tmp/guest.dmesg | sed 's/^/# /' | grep .
}

# bytes_and_log: two tests, of what churn has found in the guest, and of the guest's log.
bytes_and_log()
{
	churn_end
	report $? "every byte as expected"
	log_is_clean
	report $? "nothing alarming in the guest's log"
}

# refusals: how often the host's log says that a guest's memory will not do.
refusals()
{
	dmesg | grep -c 'memslot 0: .*, the limit needs 16777216'
}

# figure NAME: of the running guest's stops, from kvm-hv-ext.
figure()
{
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/guest_stop |
		sed -n "s/^$1 //p"
}

# idles: by stop only, while churn stands still. True if the guest's first CPU spends half
# of two seconds there.
idles()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest exec 'kill -STOP $(cat /tmp/pid)
		cd /sys/devices/system/cpu/cpu0/cpuidle
		echo 1 >state0/disable
		echo 1 >state2/disable
		spent=$(cat state1/time)
		sleep 2
		spent=$(($(cat state1/time) - spent))
		echo 0 >state0/disable
		echo 0 >state2/disable
		kill -CONT $(cat /tmp/pid)
		echo "# $((spent / 1000)) of 2000 ms"
		[ $spent -gt 1000000 ]'
}

# rest_after_bursts SECONDS VCPUS: what the governor has learnt from a CPU that was woken
# all the time must not keep it from resting when nothing does any more: from half a
# second after that on it is to spend the time in CEDE and to leave the host alone. (By a
# clock that counts instructions it is more than 99 % of the time. A machine that emulates
# another takes a part of it for its own.)
rest_after_bursts()
{
	local seconds=$1 vcpus=$2 count status

	# That of the last time says that it rests, too.
	rm -f /tmp/rest
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "seconds=$seconds"'
	bursts 300 | sed "s/^/# bursts of /"
	usleep 500000
	cd /sys/devices/system/cpu
	total() { cat cpu[0-9]*/cpuidle/$1 | tr "\n" + | sed "s/+$/\n/"; }
	rested=$(($(total state2/time)))
	stopped=$(($(total state1/usage)))
	echo "# resting"
	sleep $((seconds + 2))
	online=$(echo cpu[0-9]*/cpuidle | wc -w)
	rested=$((($(total state2/time) - rested) / 10000 / (seconds + 2) / online))
	stopped=$((($(total state1/usage) - stopped) / (seconds + 2) / online))
	echo "# at rest: $rested % of the time in CEDE, $stopped times a second in stop0lite"
	[ $rested -ge 80 ]' >/tmp/rest &
	# When it is at rest, as no command that comes in would find it.
	until grep -qs resting /tmp/rest || ! kill -0 $! 2>/dev/null; do
		usleep 50000
	done
	sleep 1
	count=$(figure emulated)
	sleep "$seconds"
	count=$((($(figure emulated) - count) / seconds))
	wait $!
	status=$?
	cat /tmp/rest
	echo "# $count emulated stops a second"
	[ $status = 0 ] && [ $count -le $((50 * vcpus)) ]
}
