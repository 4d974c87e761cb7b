#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_refused: guests that cannot resize, as the guest driver must see: one
# under firmware without the hcalls, and a radix guest (no POWER8 has those).

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

# refused REASON GUEST-OPTION...: the guest's own test of that name passes, all of it.
refused()
{
	local reason=$1 status

	shift
	guest start -m 512M "$@" || return 1
	guest exec "guest_refused.sh $reason" >/tmp/refused
	status=$?
	sed 's/^/# /' /tmp/refused
	[ $status = 0 ] && [ "$(grep -c '^ok' /tmp/refused)" = 3 ]
}

plan 2
refused firmware -M resize-hpt=disabled
report $? "the driver does not load under firmware without the hcalls"
if grep -q 'MMU.*Hash' /proc/cpuinfo; then
	skip "the driver does not load in a radix guest" "hash host"
else
	refused radix -r yes
	report $? "the driver does not load in a radix guest"
fi
guest stop
ktap_finished
