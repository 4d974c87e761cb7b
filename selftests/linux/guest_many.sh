#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_many [GUESTS [RESIZES]]: so many small guests (16) on one host resize at the same
# time, each so often (6), at random moments. None of them waits for another one longer
# than the other one's own work takes: as they all have the same to do, the longest resize
# takes about as long as that many take alone, one after the other. It may take twice that,
# for the guests and QEMU do more than resize, and five seconds: a guest that asks early is
# told to stay away for up to one, and what is left to do of its last table yields to
# whoever has work. Then one of them is stopped in the middle of a resize, and the others
# resize.
#
# They are big-endian, as these begin fastest (selftests/linux/big-endian/init.c).

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

guests=${1:-16}
resizes=${2:-6}

begin()
{
	guest start -k big-endian -m 256M -smp 1 -f /build/selftests/linux/big-endian \
		-a "rdinit=/guest/init quiet"
	echo $? >"/tmp/status.$GUEST"
}

# begin_beside: two at a time.
begin_beside()
{
	begin &
	[ $((${GUEST#g} % 2)) = 0 ] || wait
}

well()
{
	same "$(cat "/tmp/status.$GUEST")" 0
}

# resize COUNT: its longest one, in us, or why there was none.
resize()
{
	guest exec -t 300 "resize $1 ${GUEST#g}" >"/tmp/took.$GUEST" 2>&1
	echo $? >"/tmp/status.$GUEST"
}

# took: it went well; the longest so far is in $longest.
took()
{
	local us

	us=$(cat "/tmp/took.$GUEST")
	if ! well; then
		echo "# $GUEST: $us"
		return 1
	fi
	[ "$us" -le "$longest" ] || longest=$us
}

begin_others()
{
	[ "$GUEST" != g0 ] || return 0
	resize 2 &
	others="$others $!"
}

others_took()
{
	[ "$GUEST" = g0 ] || took
}

begin_resizes()
{
	resize "$resizes" &
}

# complete COUNT: so many have been served. The longest work for one is in $work, in us.
complete()
{
	local count us

	count=$(served)
	[ "$count" = "$1" ] || echo "# $GUEST: $count resizes"
	us=$(awk '!/^#/ && $5 + $6 > longest { longest = $5 + $6 }
		END { print longest + 0 }' \
		"/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/resizes)
	[ "$us" -le "$work" ] || work=$us
	[ "$count" = "$1" ]
}

# stop_in_between: the guest in $GUEST, while the host prepares a table for it.
stop_in_between()
{
	local state pid tries=10

	pid=$(guest pid)
	state=$(echo "/sys/kernel/debug/kvm/$pid-"*/hv-ext/state)
	while [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		resize 2 &
		# No process is begun for a look: it would take too long.
		while kill -0 $! && read -r line <"$state"; do
			case $line in
			idle*) continue ;;
			esac
			kill -STOP "$pid"
			read -r line <"$state"
			echo "# stopped: $line"
			case $line in
			idle*) kill -CONT "$pid" ;;
			*) return 0 ;;
			esac
		done 2>/dev/null
		wait
	done
	return 1
}

export GUEST=g0
plan 6
begin
longest=0
well && resize "$resizes" && took
report $? "a guest alone, whose longest resize takes $longest us"
limit=$((2 * longest * guests + 15000000))

longest=0
each begin_beside
wait
each well
report $? "$guests guests run"
work=0
each begin_resizes
wait
each took && each complete "$resizes"
report $? "all have resized $resizes times"
echo "# the longest resize took $longest us, and may take $limit; its work $work us"
[ "$longest" -gt 0 ] && [ "$longest" -le $limit ]
report $? "none has waited for more than the others' work"

longest=0 others=
stop_in_between && each begin_others
# shellcheck disable=SC2086 # a list
wait $others
[ -n "$others" ] && each others_took && [ "$longest" -le $limit ]
report $? "while one stands still in the middle of a resize, the others resize"
echo "# the longest resize took $longest us"
kill -CONT "$(guest pid)"
wait
took
report $? "it resizes when it goes on"
each guest stop
ktap_finished
