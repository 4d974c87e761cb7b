#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_series VMLINUX [SECONDS [FOLDER]]: a guest with a kernel of its own that has
# pseries-guest/patches built in, and everything on that tells of a wrong lock: it resizes,
# by hand, while memory comes and with hcalls traced, idles by stop, and has nothing to say
# about it. Under load it is for SECONDS (20). With FOLDER the kernel has no patches, and
# gets the modules that are in there. (lab/check-patches)

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

profile=/sys/module/kvm_hv_ext/parameters/profile
vmlinux=${1:?usage: guest_series VMLINUX [SECONDS [FOLDER]]}
seconds=${2:-20}
folder=${3:-}
vcpus=2
order=/sys/kernel/hpt/order

# 64 KiB pages, and what is plugged in: 8 pieces of 256 MiB.
dimm=2G
lmbs=8

# gets_modules: inserts them, where they are not built in.
gets_modules()
{
	[ -z "$folder" ] ||
		guest exec 'insmod /guest/pseries-hpt.ko && insmod /guest/pseries-stop.ko'
}

# up_and_down: two orders each way, while a program changes its mappings. QEMU gives an
# order more than the memory wants, at most.
up_and_down()
{
	churn_begin 64
	resize $((first - 1)) && resize "$first" && resize $((first + 1)) &&
		resize "$first" && resize $((first - 1)) && resize "$first"
	status=$?
	churn_end && [ $status = 0 ]
}

# plugged_meanwhile: memory comes while one resize follows the other. Any of them may find
# that the kernel's own has come between, or that the mapping of the new memory does not fit
# any more.
plugged_meanwhile()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "order=$order first=$first"'
	rm -f /tmp/over
	(done=0 failed=0
	 until [ -e /tmp/over ]; do
		for size in $((first + 1)) $first; do
			if echo $size >$order; then
				done=$((done + 1))
			else
				failed=$((failed + 1))
			fi 2>>/tmp/failures
		done
	 done
	 echo "# $done resizes meanwhile, $failed failed" >/tmp/resizes) >/dev/null 2>&1 &
	until grep -q ing /sys/kernel/hpt/state; do :; done' &&
	guest monitor object_add "memory-backend-ram,id=memory,size=$dimm,reserve=off" &&
	guest monitor device_add pc-dimm,id=dimm,memdev=memory &&
	guest exec -t 200 "tries=800
		until [ \$(dmesg | grep -c 'was hot-added') = $lmbs ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || break
			usleep 200000
		done
		touch /tmp/over
		until [ -e /tmp/resizes ]; do usleep 50000; done
		cat /tmp/resizes
		sort /tmp/failures | uniq -c | sed 's/^/#/'
		[ \$tries -gt 0 ] && ! grep -q '# 0 resizes' /tmp/resizes" &&
	resize $((first + 1)) && resize $((first + 2)) && resize $((first + 1))
}

# cpu_comes: the one that was not there at boot.
cpu_comes()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "order=$order first=$first"'
	echo $((first + 2)) >$order
	echo 1 >/sys/devices/system/cpu/cpu2/online &&
		echo $((first + 1)) >$order'
}

# traced: perf and a BPF program are at the end of each hcall. The patches take COMMIT out
# of that; the module sees them and leaves it. The kernel warns of hash faults of such a
# program, as these are hcalls again: that is its own affair.
traced()
{
	log_is_clean || return 1
	guest exec "traced $order $((first + 2)) $((first + 3)) $((first + 2)) $((first + 1))" \
		>/tmp/traced
	status=$?
	sed 's/^/# /' /tmp/traced
	guest exec 'dmesg -c' | grep -q 'BUG:\|Oops' && return 1
	if [ -n "$folder" ]; then
		# EBUSY
		[ $status = 16 ] && same "$(order)" $((first + 1))
	else
		[ $status = 0 ]
	fi
}

# loaded: governors take turns, the HPT is resized and a CPU is woken by bursts, while a
# program compares every byte.
loaded()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec -t $((seconds + 100)) "order=$order first=$first seconds=$seconds"'
	governors=/sys/devices/system/cpu/cpuidle
	stop=/sys/devices/system/cpu/cpu0/cpuidle/state1/usage
	now() { cut -d . -f 1 /proc/uptime; }
	end=$(($(now) + seconds))
	resized=0
	stops=$(cat $stop)
	rm -f /tmp/over
	churn -m 64 >/tmp/churn 2>&1 &
	churn=$!
	(until [ -e /tmp/over ]; do bursts 300; usleep 300000; done) >/dev/null &
	while [ $(now) -lt $end ]; do
		for name in $(cat $governors/available_governors); do
			echo $name >$governors/current_governor
			echo $((first + 2)) >$order && echo $((first + 1)) >$order ||
				break 2
			resized=$((resized + 2))
			usleep 500000
		done
	done
	touch /tmp/over
	kill $churn
	wait
	echo menu >$governors/current_governor
	stops=$(($(cat $stop) - stops))
	echo "# $resized resizes, $stops times in stop0lite, $(tail -n 1 /tmp/churn)"
	[ $(now) -ge $end ] && [ $resized -gt 0 ] && [ $stops -gt 0 ] &&
		grep -q OK /tmp/churn'
}

# watched: whether lockdep still watches locks. It gives up when it has told of a fault.
watched()
{
	guest exec 'grep -E "debug_locks: *1$" /proc/lockdep_stats | sed "s/^/#/"' | grep .
}

plan 11
echo series,guest_stop=native >$profile
guest start -k "$vmlinux" ${folder:+-f "$folder"} -d /dev/kvm-series -smp $((vcpus + 1)) \
	-a maxcpus=$vcpus -m "512M,slots=1,maxmem=8G" || bail_out "the guest does not start"
guest exec 'uname -rv | sed "s/^/# /"'
# What a boot says is the kernel's own: lockdep of 7.3.4 finds fault with how that lets
# interrupts in that were off softly, and is off from then on.
guest exec 'dmesg -c' >/tmp/boot.dmesg
watched && watching=1 || watching=
gets_modules && first=$(order) && [ -n "$first" ]
report $? "it resizes HPTs: order $first"
guest exec 'cat /sys/devices/system/cpu/cpu0/cpuidle/state*/name' | xargs | grep stop0lite
report $? "and idles by stop ($(figure mode))"
up_and_down
report $? "two orders up and down"
plugged_meanwhile
report $? "$dimm more during resizes"
cpu_comes
report $? "a CPU comes"
tree "$(order)" $((vcpus + 1))
report $? "the device tree has the order"
traced
report $? "with perf and BPF at each hcall"
loaded
report $? "$seconds s under load"
rest_after_bursts 5 $((vcpus + 1))
report $? "it rests after bursts of interrupts"
if [ -n "$watching" ]; then
	watched
	report $? "locks are still watched"
else
	skip "locks are watched" "$(alarms /tmp/boot.dmesg | head -n 1)"
fi
log_is_clean
report $? "nothing alarming in its log"
guest stop
echo -series >$profile
ktap_finished
