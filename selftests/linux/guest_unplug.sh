#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_unplug [ROUNDS]: QEMU plugs memory into a guest and takes it away again. The guest's
# kernel has its HPT shrink and grow by itself, with a program at work that compares every
# byte of its memory; then so many times more (2), while the guest's driver is asked for
# other sizes.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/huge.sh
. /selftests/linux/huge.sh

# The order that the kernel finds right for 1 GiB is 20. It is two below what 512 MiB get at
# boot, so when some of the memory goes it shrinks.
dimm=512M
lmbs=2
rounds=${1:-2}
pieces=0

# pieces WHAT COUNT: so many pieces of memory (LMBs) have been hot-WHAT since boot, or
# are not in two minutes.
pieces()
{
	guest exec -t 150 "tries=600
		until [ \$(dmesg | grep -c 'was hot-$1') -ge $2 ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			usleep 200000
		done"
}

plug()
{
	pieces=$((pieces + lmbs))
	guest monitor object_add "$backend,id=memory,size=$dimm" &&
		guest monitor device_add pc-dimm,id=dimm,memdev=memory &&
		pieces added $pieces
}

let_go()
{
	! guest monitor info memory-devices | grep -q dimm
}

# unplug: QEMU lets go of it when the guest says that it has.
unplug()
{
	guest monitor device_del dimm && pieces removed $pieces && within 10 let_go &&
		guest monitor object_del memory
}

# resizes_begin LOW HIGH: the driver resizes from one to the other and back, all the time.
resizes_begin()
{
	guest exec "rm -f /tmp/enough
		( good=0 bad=0
		  until [ -e /tmp/enough ]; do
			for order in $1 $2; do
				if echo \$order >/sys/kernel/hpt/order; then
					good=\$((good + 1))
				else
					bad=\$((bad + 1))
				fi
			done
		  done 2>/tmp/errors
		  echo \$good \$bad >/tmp/resizes ) >/dev/null 2>&1 &"
}

# resizes_end: how many were done, and how many failed, in $good and $bad.
resizes_end()
{
	guest exec 'touch /tmp/enough; until [ -s /tmp/resizes ]; do usleep 100000; done' &&
		read -r good bad <<-END
		$(guest exec cat /tmp/resizes)
		END
}

plan 8
backend=memory-backend-ram,reserve=off largest=64k
if ! reserve 1024; then
	backed=
elif [ "$size" = 16384 ]; then
	backend=memory-backend-file,mem-path=$mount largest=16M
else
	# Those of 1 GiB are too large for such a guest.
	release
	backed=
fi
# So that the kernel does not put into the DIMM what cannot be moved.
guest start -m "512M,slots=1,maxmem=8G" -M "cap-hpt-max-page-size=$largest" \
	-q "$backed" -a movable_node || bail_out "the guest does not start"
guest exec 'insmod /guest/pseries-hpt.ko' || bail_out "no guest driver"
small=$(order)
churn_begin 64

plug && resize "$small"
report $? "the guest has $dimm more"
before=$(served)
unplug
report $? "and has given it back"
low=$(order)
echo "# order $small, without the DIMM $low; $(($(served) - before)) resizes"
# What is mapped in pages of 64 KiB has two of them for each group of an HPT that is as small
# as the kernel finds right, and they collide: it does not get it.
if guest exec 'dmesg | grep "linear mapping = 24"' | sed 's/^/# /' | grep .; then
	[ "$low" -lt "$small" ] && [ "$(served)" -gt "$before" ]
	report $? "its HPT has shrunk, served by kvm-hv-ext"
	resize $((low - 1)) && plug && same "$(order)" "$low"
	report $? "with the DIMM it grows"
else
	why="the guest's kernel does not map memory in pages of 16 MiB"
	skip "its HPT has shrunk, served by kvm-hv-ext" "$why"
	skip "with the DIMM it grows" "$why"
	plug
fi

resizes_begin $((low - 1)) "$small"
round=0
while [ "$round" -lt "$rounds" ] && unplug && plug; do
	round=$((round + 1))
done
same "$round" "$rounds"
report $? "taken away and plugged $rounds times more, while the driver resizes"
resizes_end
echo "# the driver resized ${good:-?} times, and gave up ${bad:-?} times"
guest exec 'sort /tmp/errors | uniq -c' | sed 's/^/# /'
[ "${good:-0}" -gt "$rounds" ] && resize "$small"
report $? "the driver has resized, and can"
bytes_and_log
guest stop
[ -z "$backed" ] || release
ktap_finished
