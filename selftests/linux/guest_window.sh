#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_window: in a guest that preempts, somebody wants to COMMIT just when memory
# hotplug has worked out where an entry of the new memory's mapping goes, and has not
# entered it. The guest driver has that COMMIT fail; the guest lives, and resizes later.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

window=/sys/module/pseries_hpt_window/parameters

plan 5
if ! uname -v | grep -q PREEMPT; then
	skip_rest "COMMIT in the middle of a hotplug" \
		"the kernel of host and guest does not preempt"
	ktap_finished
fi
# plug NAME SIZE LMBS: memory, of which the guest has had so many pieces then.
plug()
{
	guest monitor object_add "memory-backend-ram,id=m$1,size=$2,reserve=off" &&
		guest monitor device_add "pc-dimm,id=$1,memdev=m$1" &&
		guest exec -t 100 "until [ \$(dmesg | grep -c 'was hot-added') = $3 ]; do
				   usleep 100000; done"
}

guest start -m "256M,slots=2,maxmem=8G" || bail_out "the guest does not start"
[ -n "$WITHOUT_DRIVER" ] ||
	guest exec 'insmod /guest/pseries-hpt.ko' || bail_out "no guest driver"
guest exec 'insmod /guest/pseries-hpt-window.ko' || bail_out "no test module"
# QEMU gives a guest a larger HPT than its kernel finds right, which wants to shrink it with
# the first memory that comes. Not with what comes next: that would drop what is prepared.
plug first 1G 4 || bail_out "no memory is plugged"
first=$(guest exec 'cat /sys/kernel/debug/powerpc/hpt_order')
guest exec "echo $((first + 1)) >$window/order"
report $? "a larger HPT will be wanted"

plug second 256M 5 && guest exec "until [ \$(cat $window/result) -le 0 ]; do
				  usleep 100000; done"
report $? "256 MiB more, with a COMMIT in the middle"
# The driver has had dropped what was prepared: H_CLOSED.
guest exec "dmesg | grep 'Unexpected error 2 from H_RESIZE_HPT_COMMIT'" |
	sed 's/^/# /' | grep .
report $? "that COMMIT has failed"
guest exec -t 60 'dd if=/dev/zero of=/tmp/fill bs=1M count=900 2>/dev/null; rm /tmp/fill'
report $? "the new memory can be used"
guest exec 'rmmod pseries-hpt-window' && resize $((first + 1)) && resize "$first"
report $? "the driver resizes afterwards"
guest stop
ktap_finished
