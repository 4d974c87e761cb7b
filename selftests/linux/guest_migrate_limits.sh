#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate_limits: a guest that was promised pages of 16 MiB is migrated to where
# they are, by pre-copy and by post-copy. Where they are not there is no QEMU to take it,
# and it goes on at the source. Its HPT is resized by copy there, mirrored at the
# destination. All of it under stock QEMU.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh
# shellcheck source=selftests/linux/huge.sh
. /selftests/linux/huge.sh

limit=/sys/module/kvm_hv_ext/parameters/hpt_max_page_shift
strategy=/sys/module/kvm_hv_ext/parameters/resize_strategy
options="-m 1G -M cap-hpt-max-page-size=16M"

# expect_backed: a QEMU that has what the guest needs.
expect_backed()
{
	# shellcheck disable=SC2086 # a list
	expect $options -q "$backed"
}

# entry_refused: stock KVM logs the entry of a table that it does not take, as it should.
# Its line is not for check-host to find; the others are looked at here.
entry_refused()
{
	local line="kvm_htab_write ret -4 "

	dmesg -c >/tmp/dmesg
	grep "$line" /tmp/dmesg | sed 's/^/# /' | grep . || return 1
	sed -i "/$line/d" /tmp/dmesg
	! alarms /tmp/dmesg | sed 's/^/# /' | grep .
}

# balloon NAME: what has become of the memory that the guest was promised.
balloon()
{
	sed -n "s/^$1 //p" "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/balloon
}

# is_whole STRATEGY: it has pages of 16 MiB, none has gone, and it resizes its HPT by that,
# and back.
is_whole()
{
	uses_16m >/dev/null && same "$(balloon violations)" 0 &&
		grep -q "$1" "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/strategy &&
		resize $((first + 1)) && resize "$first"
}

# by_post_copy: it is migrated so; how many bytes have gone at the source by then is in
# $zapped, and how many are no longer in large pages in $split.
by_post_copy()
{
	both migrate_set_capability postcopy-ram on
	depart && post_copy || return 1
	guest monitor migrate_set_parameter max-postcopy-bandwidth 0
	await_status completed || return 1
	zapped=$(balloon zapped_bytes)
	split=$(balloon split_bytes)
	echo "# $zapped bytes have gone at the source; in vain it tried to give back pages" \
		"$(grep -c 'DONTNEED failed' "/tmp/guest/$here/qemu.log") times"
	arrive
}

# goes_whole: at the source memory has gone in whole huge pages or not at all. What QEMU has
# sent of them before it begins with post-copy it gives back then, if the guest has not written
# to it since. One of 1 GiB is all that this guest has, and churn writes to it.
goes_whole()
{
	same "$split" 0 || return 1
	case $size in
	16384) same $((zapped % (size * 1024))) 0 ;;
	*) same "$zapped" 0 ;;
	esac
}

plan 10
if ! reserve 2048; then
	skip_rest "a guest with pages of 16 MiB" "this host has no huge pages to spare"
	ktap_finished
fi
# A guest that comes after this test has no such pages.
trap 'echo 0 >$limit; echo mirror >$strategy; release' EXIT
echo 24 >$limit
echo copy >$strategy

# shellcheck disable=SC2086 # a list
guest start $options -q "$backed" || bail_out "the guest does not start"
guest exec "insmod /guest/pseries-hpt.ko" || bail_out "no guest driver"
first=$(order)
is_whole copy
report $? "a guest with pages of 16 MiB"
echo mirror >$strategy
churn_begin 24

# QEMU looks at the pages when it resets the machine. A host with the hash MMU has KVM
# refuse them before that; with the radix MMU the VM is no hash guest's yet.
refused="KVM_SET_USER_MEMORY_REGION failed"
# shellcheck disable=SC2086 # a list
turned_away "16384 kiB guest pages with 64 kiB host pages\|$refused" $options
report $? "no QEMU takes it on memory in pages of 64 KiB"
if grep -q POWER8 /proc/cpuinfo; then
	before=$(refusals)
	turned_away "$refused" -m 1G &&
		[ "$(refusals)" -gt "$before" ]
else
	expect -m 1G && depart_refused "Error writing the KVM hash table" && entry_refused
fi
report $? "nor where QEMU was not told of the limit"
echo 16 >$limit
# shellcheck disable=SC2086 # a list
turned_away "KVM doesn't support page shift 24" $options -q "$backed"
report $? "nor where the limit is lower"
echo 24 >$limit
guest exec true
report $? "it goes on at the source"

expect_backed && depart && arrive && is_whole mirror
report $? "it is migrated"
expect_backed && by_post_copy && is_whole mirror
report $? "it is migrated by post-copy"
expect_backed && guest monitor migrate_set_capability release-ram on && by_post_copy &&
	is_whole mirror && goes_whole
report $? "and with release-ram at the source, where whole pages go or none"

bytes_and_log
stop_both
ktap_finished
