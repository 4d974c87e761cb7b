#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_elsewhere first|middle|last PARAMETERS NAME VALUE OPTION...: one host of
# machine/two_hosts.sh. The guest starts here, or goes on with what the host before has
# saved; is resized, and stops its CPU if it can; and is saved for the next host, or ends.
# PARAMETERS are kvm-hv-ext's, with commas, or "none" for a host without it. Of the guest
# the module says that NAME ("strategy", "mode" or "limit") is VALUE. With a limit it has pages
# of 16 MiB.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/huge.sh
. /selftests/linux/huge.sh

part=$1
parameters=$2
name=$3
value=$4
shift 4
state=/build/two-hosts/state
kernel=$LAB_KERNEL

fail()
{
	echo "$*"
	guest stop
	exit 1
}

# served_as_meant: by the module, or not.
served_as_meant()
{
	case $name in
	strategy)
		grep -q "$value" "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/strategy ;;
	mode)
		same "$(figure mode)" "$value" ;;
	limit)
		grep -q "^promise 1$" "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/balloon &&
			uses_16m ;;
	none)
		[ ! -e /sys/module/kvm_hv_ext ] ;;
	esac
}

# begin OPTION...: the guest, whose HPT is of its first order, and what is to be at work.
begin()
{
	guest start -k 6.12 "$@" && guest exec "insmod /guest/pseries-hpt.ko" || return 1
	[ "$name" != mode ] || guest exec "insmod /guest/pseries-stop.ko" || return 1
	churn_begin 24
	guest exec "echo $(order) >/tmp/first"
}

# is_whole: the HPT is of the order that it had, and becomes another.
is_whole()
{
	local first now

	first=$(guest exec "cat /tmp/first")
	now=$(order)
	case $((now - first)) in
	0) resize $((first + 1)) ;;
	1) resize "$first" ;;
	*) false ;;
	esac && echo "order $now, then $(order)"
}

if [ "$parameters" != none ]; then
	# shellcheck disable=SC2046 # a list
	insmod "/build/$kernel/modules/kvm-hv-ext.ko" verify=1 prepare_interval_ms=0 \
		nomem_backoff_ms=0 $(echo "$parameters" | tr , ' ') || fail "no module"
fi
if [ "$name" = limit ]; then
	reserve 1024 || fail "no huge pages to spare"
	set -- "$@" -q "$backed"
fi
case $part in
first) begin "$@" ;;
*) guest start -k 6.12 -i $state "$@" ;;
esac || fail "no guest"
served_as_meant || fail "it is served otherwise"
is_whole || fail "its HPT is not as it was, or not resized"
[ "$name" != mode ] || idles || fail "it does not idle by stop"
log_is_clean || fail "its log"
if [ "$part" = last ]; then
	churn_end || fail "not every byte is as expected"
	guest stop
else
	guest save $state || fail "it cannot be saved"
fi
alarms=$(dmesg >/tmp/host.dmesg && alarms /tmp/host.dmesg) && fail "the host's log: $alarms"
exit 0
