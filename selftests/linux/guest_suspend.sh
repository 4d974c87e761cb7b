#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_suspend: a guest that was resized is suspended to RAM and woken, and so is one in
# the middle of a resize, which then starts over.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

hpt=/sys/kernel/hpt
tester=/sys/module/pseries_hpt_test/parameters
LONG_BUSY_10_MS=9901

is_suspended()
{
	guest monitor info status | grep -q suspended
}

# nap: suspends it, and has it woken. The guest first has to be done with what tells it to.
nap()
{
	guest exec "rm -f /tmp/suspended
		(sleep 1; echo mem >/sys/power/state; echo \$? >/tmp/suspended) \
			>/dev/null 2>&1 &"
	within 30 is_suspended || return 1
	# shellcheck disable=SC2016 # for the guest's shell
	guest monitor system_wakeup &&
		guest exec 'until [ -s /tmp/suspended ]; do usleep 100000; done
			[ $(cat /tmp/suspended) = 0 ]'
}

plan 5
guest start -m 512M || bail_out "the guest does not start"
guest exec "insmod /guest/pseries-hpt.ko && insmod /guest/pseries-hpt-test.ko &&
	echo $LONG_BUSY_10_MS >$tester/answer" || bail_out "no guest driver"
if ! guest exec 'grep -qw mem /sys/power/state'; then
	skip_rest "suspend to RAM" "the guest's kernel has none"
	guest stop
	ktap_finished
fi
small=$(order)
big=$((small + 1))
churn_begin 64

resize $big && nap
report $? "a guest that has grown its HPT is suspended and woken"
same "$(order)" $big && resize "$small"
report $? "it goes on with that HPT, and resizes"

guest exec "echo 4294967295 >$tester/answers
	(echo $big >$hpt/order; echo \$? >/tmp/written) >/dev/null 2>&1 &
	until [ \$(cat $hpt/state) = preparing ]; do usleep 10000; done"
nap && guest exec "echo 0 >$tester/answers
	until [ -s /tmp/written ]; do usleep 10000; done
	[ \$(cat /tmp/written) = 0 ]" && same "$(order)" $big
report $? "one in the middle of a resize is, and resizes when it is woken"

bytes_and_log
guest stop
ktap_finished
