#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_cpus: QEMU adds cores to a guest, and takes them away, while the hypervisor prepares
# an HPT and around COMMIT. The device tree, where a core that comes has brought an
# order with it, agrees with the HPT afterwards.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

hpt=/sys/kernel/hpt
tester=/sys/module/pseries_hpt_test/parameters
LONG_BUSY_10_MS=9901

# core NAME: adds core number NAME.
core()
{
	guest monitor device_add "$type,core-id=$1,id=core$1"
}

# online LIST: the CPUs that are, within a minute and a half.
online()
{
	guest exec -t 100 "tries=900
		until [ \$(cat /sys/devices/system/cpu/online) = $1 ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			usleep 100000
		done"
}

# prepare ORDER: a resize begins, and does not get further.
prepare()
{
	guest exec "echo 4294967295 >$tester/answers
		echo $1 >$hpt/order 2>/tmp/error &
		until [ \$(cat $hpt/state) = preparing ]; do usleep 10000; done"
}

# prepared ORDER: now it does, and is done.
prepared()
{
	guest exec "echo 0 >$tester/answers
		until [ \$(cat $hpt/state) = idle ]; do usleep 10000; done" &&
		same "$(order)" "$1"
}

preparing()
{
	guest exec "[ \$(cat $hpt/state) = preparing ]"
}

plan 7
guest start -m 512M -smp 1,maxcpus=4 || bail_out "the guest does not start"
guest exec "insmod /guest/pseries-hpt.ko && insmod /guest/pseries-hpt-test.ko &&
	echo $LONG_BUSY_10_MS >$tester/answer" || bail_out "no guest driver"
type=$(guest monitor info hotpluggable-cpus | grep -o '[a-z0-9._-]*-spapr-cpu-core' |
	head -n 1)
small=$(order)
big=$((small + 1))
churn_begin 64

prepare $big && core 1 && online 0-1 && preparing
report $? "a core comes while the hypervisor prepares"
prepared $big && tree $big 2
report $? "the HPT grows, and the device tree says so for both"

guest exec "( while [ ! -e /tmp/enough ]; do
		echo $small >$hpt/order && echo $big >$hpt/order || break
	done; cat $hpt/order >/tmp/enough ) >/dev/null 2>&1 &"
before=$(served)
core 2 && online 0-2 && core 3 && online 0-3
report $? "two come while the driver resizes all the time"
guest exec "touch /tmp/enough; until [ -s /tmp/enough ]; do usleep 10000; done"
echo "# $(($(served) - before)) resizes meanwhile"
same "$(order)" $big && tree $big 4
report $? "the device tree says the same for all four"

if guest exec 'grep -qw swake_up_one_online /proc/kallsyms'; then
	skip "a core goes while the hypervisor prepares" \
		"RCU of this kernel can deadlock as a CPU goes"
else
	prepare "$small" && guest monitor device_del core3 && online 0-2 && preparing &&
		prepared "$small" && tree "$small" 3
	report $? "a core goes while the hypervisor prepares"
fi
bytes_and_log
guest stop
ktap_finished
