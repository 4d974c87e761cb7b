#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_vmm [QEMU]: QEMU with the patches of kvm-hv/qemu. A guest that may stop and has
# pages of 16 MiB is started, resized, reset twice, saved, restored, and moved there and
# back; it is refused where it could not be what it is. QEMU is as for "guest start -Q".
# The host has pages of 1 GiB to spare, and its CPUs know a guest's stop.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh
# shellcheck source=selftests/linux/huge.sh
. /selftests/linux/huge.sh

qemu=${1:-vmm}
parameters=/sys/module/kvm_hv_ext/parameters
both=cap-guest-stop=on,cap-hpt-max-page-size=16M
# Without XICS: Debian 12's QEMU (10.0.2) has no place for its state and would not get to
# read the capabilities.
without=ic-mode=xive

# start OPTION...: a guest, on huge pages, with this QEMU.
start()
{
	guest start -Q "$qemu" -m 1G -q "$backed" "$@"
}

# expect_with [OPTION...]: likewise, for the guest to go to.
expect_with()
{
	GUEST=$there start -I unix:/tmp/migration "$@"
}

# refused PATTERN COMMAND...: no guest comes of that, and QEMU says why.
refused()
{
	local pattern=$1 status=0

	shift
	"$@" >/tmp/refused 2>&1 && status=1
	guest stop
	[ $status = 0 ] && grep -- "$pattern" /tmp/refused && return
	sed 's/^/# /' /tmp/refused
	return 1
}

# property NAME: of the machine.
property()
{
	guest monitor qom-get /machine "$1" | tr -d '\r'
}

# has NAME VALUE: of the running guest, by the module.
has()
{
	sed -n "s/^$1 //p" "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/* |
		grep -qx "$2"
}

# is_whole: it stops its threads, has large pages, and resizes its HPT, back as well.
is_whole()
{
	local from count

	from=$(property hpt-order)
	count=$(property hpt-resizes)
	sees_16m && guest exec 'insmod /guest/pseries-stop.ko && sleep 1 &&
			    grep stop /sys/devices/system/cpu/cpu0/cpuidle/state*/name &&
			    rmmod pseries-stop' &&
		resize $((from + 1)) && same "$(property hpt-order)" $((from + 1)) &&
		echo "# PREPARE $(property hpt-resize-prepare-us) us," \
		     "COMMIT $(property hpt-resize-commit-us) us" &&
		[ "$(property hpt-resize-commit-us)" -gt 0 ] &&
		resize "$from" && same "$(property hpt-order)" "$from" &&
		same "$(property hpt-resizes)" $((count + 2))
}

# driver: it loads its own.
driver()
{
	guest exec "insmod /guest/pseries-hpt.ko"
}

# reset: by QEMU; it comes up again.
reset()
{
	guest monitor system_reset && guest await && driver
}

# moved_and_reset ORDER: it has an HPT of this order, and is reset while it is moved.
moved_and_reset()
{
	resize "$1" && expect_with -M "$without,$both" && depart &&
		guest monitor system_reset && arrive_silent && guest await && driver &&
		same "$(property hpt-order)" "$first" && is_whole
}

plan 22
reserve 2048 || bail_out "this host has no pages of 1 GiB to spare"

refused "cap-guest-stop' not found" guest start -M cap-guest-stop=on
report $? "stock QEMU does not know cap-guest-stop"
refused "16384 kiB guest pages with 64 kiB host pages" \
	guest start -Q "$qemu" -M cap-hpt-max-page-size=16M
report $? "no pages of 16 MiB on memory that has none"
echo quiet,guest_stop=off >$parameters/profile
refused "KVM refuses cap-guest-stop=on: Device or resource busy" \
	start -M cap-guest-stop=on -d /dev/kvm-quiet
report $? "cap-guest-stop=on, by a node that has it off"
echo -quiet >$parameters/profile

echo emulate >$parameters/guest_stop
start && has mode off && ! guest exec 'insmod /guest/pseries-stop.ko' 2>/dev/null
report $? "off is off, whatever the host's default is"
guest stop
echo off >$parameters/guest_stop

start -M "$without,$both" && driver && has mode 'emulate\|native'
report $? "a guest with $both"
is_whole
report $? "it stops, has pages of 16 MiB, and is resized"
reset && is_whole
report $? "it is reset"
reset && is_whole
report $? "it is reset again"

guest save /tmp/saved && start -M "$without,$both" -i /tmp/saved && is_whole
report $? "it is saved and restored"

churn_begin 24
expect_with -M "$without,$both" && depart && arrive && is_whole
report $? "it is moved"
expect_with -M "$without,$both" && depart && arrive && is_whole
report $? "it is moved back"

expect_with -M "$without,cap-hpt-max-page-size=16M" &&
	depart_refused "cap-guest-stop higher level (1) in incoming stream"
report $? "not to a machine without stop"
GUEST=$there guest start -m 1G -q "$backed" -M "$without,cap-hpt-max-page-size=16M" \
	-I unix:/tmp/migration &&
	depart_refused "error while loading state .* of device 'spapr'"
report $? "nor to stock QEMU"
expect_with -M "$without,cap-guest-stop=on" &&
	depart_refused "cap-hpt-max-page-size higher\|Bad page size encoding in SLB"
report $? "nor to a machine with pages of 64 KiB at most"
bytes_and_log

first=$(property hpt-order)
moved_and_reset $((first + 1))
report $? "it is moved, and reset in the middle of it, with an HPT that has grown"
moved_and_reset $((first - 1))
report $? "likewise with one that has shrunk"
stop_both

# plugged PAGES: a DIMM of such.
plugged()
{
	guest monitor object_add "memory-backend-$1,id=m,size=1G" &&
		guest monitor device_add pc-dimm,id=d,memdev=m
}

guest start -Q "$qemu" -m 1G,slots=2,maxmem=4G -q "$backed" \
	-M "$without,$both,resize-hpt-strategy=copy" &&
	grep -q copy "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/strategy
report $? "the strategy is the machine's choice"
! plugged ram >/tmp/refused && cat /tmp/refused && guest exec true
report $? "a DIMM in pages of 64 KiB is refused, and the guest lives"
guest monitor object_del m && plugged "file,mem-path=$mount" &&
	guest exec -t 60 "until dmesg | grep -q 'was hot-added'; do usleep 100000; done"
report $? "one in pages of 1 GiB is plugged"
guest stop
dmesg >/tmp/host.dmesg && ! alarms /tmp/host.dmesg
report $? "nothing alarming in the host's log"

release
ktap_finished
