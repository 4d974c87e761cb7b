#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_page_sizes: a Linux guest under stock QEMU on large pages uses 16 MiB
# pages if the module's limit allows them, and does not see them if it does not;
# without large pages behind it, it does not start. A graphics adapter needs none.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/huge.sh
. /selftests/linux/huge.sh

limit=/sys/module/kvm_hv_ext/parameters/hpt_max_page_shift

# turns_on_devices: each memory of theirs becomes a memslot, or is QEMU's end.
turns_on_devices()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest exec 'for device in /sys/bus/pci/devices/*; do
			echo 1 >"$device/enable" && echo 1 >"$device/rom" &&
				found=1
			cat "$device/rom" >/dev/null
		    done; [ "$found" ]' &&
		guest monitor info mtree -f | grep -q 'vga.vram KVM'
}

# refused: a guest cannot run, and the host's log says why.
refused()
{
	local before tries=600

	before=$(refusals)
	guest start >/dev/null 2>&1 &
	until [ "$(refusals)" -gt "$before" ] || [ $tries = 0 ]; do
		tries=$((tries - 1))
		usleep 200000
	done
	guest stop
	wait
	[ $tries -gt 0 ]
}

plan 7
# Their ROMs have what QEMU is given for them, and of course no guest will run that.
adapter="-device VGA,romfile=/bin/busybox -device e1000,romfile=/bin/busybox"

if ! reserve 1024; then
	for name in "16 MiB pages under 24" "a graphics adapter under 24" \
		    "a promise that holds" \
		    "no memory went" "no 16 MiB pages under 16" \
		    "refused what the limit forbids"; do
		skip "$name" "this host has no huge pages to spare"
	done
else
	echo 24 >$limit
	guest start -M cap-hpt-max-page-size=16M -q "$backed $adapter" &&
		uses_16m
	report $? "16 MiB pages under 24"
	turns_on_devices
	report $? "a graphics adapter under 24"
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/balloon >/tmp/balloon
	grep -q '^promise 1$' /tmp/balloon
	report $? "a promise that holds"
	grep -q '^violations 0$' /tmp/balloon
	report $? "no memory went"
	guest stop

	echo 16 >$limit
	guest start -q "$backed" && ! sees_16m
	report $? "no 16 MiB pages under 16"
	guest stop
	guest start -M cap-hpt-max-page-size=16M -q "$backed" 2>&1 |
		grep "KVM doesn't support page shift 24"
	report $? "refused what the limit forbids"
	release
fi

# Memory in small pages, as it comes.
echo 24 >$limit
refused
report $? "refused on pages of the base size"
echo 0 >$limit
ktap_finished
