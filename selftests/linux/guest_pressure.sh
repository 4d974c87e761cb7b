#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_pressure [GUESTS [ROUNDS]]: so many Linux guests (3) resize back to back, six times
# in each round (2 times $KVM_HV_EXT_LONG), and compare every byte of a program that changes
# its mappings, while the host takes their memory from them all the time: their cgroup has
# to swap, KSM merges what is alike, and compaction moves the rest. Then one is killed in the
# middle of a resize. It is also a program of lab/soak.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

guests=${1:-3}
rounds=${2:-$(awk -v factor="${KVM_HV_EXT_LONG:-1}" \
	'BEGIN { n = int(2 * factor); print n ? n : 1 }')}
resizes=$((6 * rounds))

cgroups=/tmp/pressure-cgroups
ours=$cgroups/guests
ksm=/sys/kernel/mm/ksm

# The host takes that much from the guests each time.
PIECE=24M

# event NAME: how often the host's kernel has done it.
event()
{
	awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat
}

# press_begin: the host has swap space, and swaps, merges and moves.
press_begin()
{
	modprobe -q zram
	zram=$(cat /sys/class/zram-control/hot_add) &&
		echo 4G >"/sys/block/zram$zram/disksize" &&
		mkswap "/dev/zram$zram" >/dev/null && swapon "/dev/zram$zram" &&
		mkdir -p $cgroups && mount -t cgroup2 none $cgroups &&
		echo +memory >$cgroups/cgroup.subtree_control && mkdir $ours &&
		echo 500 >$ksm/pages_to_scan && echo 1 >$ksm/run
}

# press: until it is killed. What cannot be taken now is taken next time.
press()
{
	while usleep 200000; do
		echo $PIECE >$ours/memory.reclaim
		echo 1 >/proc/sys/vm/compact_memory
	done 2>/dev/null
}

press_end()
{
	kill "$press" 2>/dev/null
	echo 2 >$ksm/run
	echo 100 >$ksm/pages_to_scan
	rmdir $ours && umount $cgroups && swapoff "/dev/zram$zram" &&
		echo "$zram" >/sys/class/zram-control/hot_remove
}

# begin: a guest that belongs to the cgroup, with its QEMU.
begin()
{
	sh -c "echo \$\$ >$ours/cgroup.procs; exec guest start -m 512M -smp 1"
}

resize_begin()
{
	guest exec -t $((60 + 20 * resizes)) "guest_resize.sh $rounds" \
		>"/tmp/pressure.$GUEST" 2>&1 &
	resizing="$resizing $!"
}

# resized: every resize was done and every byte found. The guest says which was not.
resized()
{
	if ! grep -q "^# Totals: pass:$((resizes + 2)) fail:0" "/tmp/pressure.$GUEST" ||
	   [ "$(served)" != "$resizes" ]; then
		sed 's/^/# /' "/tmp/pressure.$GUEST"
		echo "# $GUEST: the host has served $(served)"
		return 1
	fi
}

# killed: that guest's QEMU, while the host prepares a table for it.
killed()
{
	local pid state

	pid=$(guest pid)
	state=$(echo "/sys/kernel/debug/kvm/$pid-"*/hv-ext/state)
	guest exec -t 60 "guest_resize.sh 20" >/tmp/pressure.killed 2>&1 &
	while kill -0 $! && read -r line <"$state"; do
		case $line in
		idle*) continue ;;
		esac
		kill -KILL "$pid"
		break
	done 2>/dev/null
	wait $!
	echo "# killed: $line"
	same "${line%%idle*}" "$line" && within 20 test ! -e "$state"
}

export GUEST=g0
plan 6
trap press_end EXIT
press_begin || bail_out "the host cannot be short of memory"
each begin
report $? "$guests guests run"

swapped=$(event pswpout) back=$(event pswpin) moved=$(event pgmigrate_success)
press &
press=$!
resizing=
each resize_begin
# shellcheck disable=SC2086 # a list
wait $resizing
each resized
report $? "each has resized $resizes times and found every byte as it was"
swapped=$(($(event pswpout) - swapped)) back=$(($(event pswpin) - back))
moved=$(($(event pgmigrate_success) - moved)) merged=$(cat $ksm/pages_sharing)
echo "# $swapped pages swapped out and $back in, $moved moved, $merged merged"
[ $swapped -gt 0 ] && [ $back -gt 0 ] && [ $moved -gt 0 ] && [ "$merged" -gt 0 ]
report $? "the host has swapped, moved and merged pages meanwhile"
each log_is_clean
report $? "nothing alarming in the guests' logs"
killed
report $? "one is killed in the middle of a resize, and nothing of it stays"
each guest stop
trap - EXIT
press_end
report $? "the host has its memory back"
echo "# counted: $((guests * resizes)) resizes-of-Linux-guests"
ktap_finished
