#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_kexec start|crash: a guest whose HPT has been resized starts another kernel by
# kexec, or leaves a dump when it crashes; what was loaded at another order is not started.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/kexec.sh
. /selftests/linux/kexec.sh

hpt=/sys/kernel/hpt

# begin MEM CPUS [APPEND]: a guest with all that. Its order is $first. It is small, as before
# it starts another kernel it reads and clears all of its HPT, an hcall for four entries.
begin()
{
	guest start -m "$1" -smp "$2" -f $brought -a "panic=1 quiet $3" &&
		guest exec 'insmod /guest/pseries-hpt.ko' && first=$(order)
}

# image FILE: what the driver says of it.
image()
{
	guest exec "cat $hpt/$1"
}

# second_has ORDER: another kernel runs, and uses an HPT of that order.
second_has()
{
	guest exec "[ ! -e /guest/vmlinux ] &&
		[ \$(cat /sys/kernel/debug/powerpc/hpt_order) = $1 ]"
}

# comes CPU: one that is yet to come.
comes()
{
	guest exec "echo 1 >/sys/devices/system/cpu/cpu$1/online"
}

# The distribution's part of hpt-kdump-reload, in the guest, and what runs it.
# shellcheck disable=SC2016 # for the guest's shells
reloader='mkdir -p /run
cat >/bin/kdump-config <<"END"
#!/bin/sh
# As Debian has it: for a while there is none.
[ "$1" = try-reload ] || exit
echo "order $HPT_ORDER" >>/tmp/reloads
'"$run"' /guest/kexec -p -u >/dev/null
if [ -e /tmp/hold ]; then
	rm /tmp/hold
	until [ -e /tmp/go ]; do usleep 50000; done
fi
exec load -p
END
cat >/bin/on-event <<"END"
#!/bin/sh
# As the rule has it, and without waiting, as systemd-run does it.
if [ "$ACTION" = change ] && [ "$SUBSYSTEM" = platform ] && [ -n "$HPT_ORDER" ]; then
	/guest/hpt-kdump-reload &
	echo $! >"/tmp/event.$HPT_ORDER"
fi
END
chmod +x /bin/kdump-config /bin/on-event
uevent /bin/on-event >/dev/null 2>&1 &'

# reloaded: by that, within a minute and a half.
reloaded()
{
	guest exec -t 100 "tries=900
		until [ \$(cat $hpt/kexec_crash_image) = current ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || exit 1
			usleep 100000
		done"
}

# resized_twice ORDER ORDER: the second time when the service has unloaded the crash kernel
# for the first, and goes on when it has been told of the second: by then the one it is
# about to load is of the first, or of who knows which.
resized_twice()
{
	# shellcheck disable=SC2016 # for the shell of the guest
	guest exec "first=$1 second=$2 order=$hpt/order"'
		touch /tmp/hold
		rm -f "/tmp/event.$second"
		echo "$first" >"$order" || exit 1
		while [ -e /tmp/hold ]; do usleep 50000; done
		echo "$second" >"$order" || exit 1
		until [ -s "/tmp/event.$second" ]; do usleep 50000; done
		told=$(cat "/tmp/event.$second")
		while grep -q . "/proc/$told/cmdline" && ! pidof flock >/dev/null; do
			usleep 50000
		done 2>/dev/null
		touch /tmp/go'
}

start_tests()
{
	begin 512M 1 || bail_out "no guest"
	tree "$first" 1
	report $? "the device tree says what there is, order $first"
	resize $((first + 1)) && tree $((first + 1)) 1
	report $? "it grows, and the device tree says so"
	load -l && same "$(image kexec_image)" current
	report $? "a kernel is loaded for kexec"
	guest reboot 400 "$run /guest/kexec -e" && second_has $((first + 1))
	report $? "it runs"

	begin 512M 1 || bail_out "no guest"
	load -l && resize $((first - 1)) && same "$(image kexec_image)" stale
	report $? "one that was loaded before a resize is stale"
	guest reboot 400 "$run /guest/kexec -e" && second_has "$first"
	report $? "kexec has the HPT go back for it, and it runs"
}

crash_tests()
{
	local order

	begin 1G 2 "crashkernel=384M maxcpus=1" || bail_out "no guest"
	same "$(image kexec_crash_image)" none && load -p &&
		same "$(image kexec_crash_image)" current
	report $? "a crash kernel is loaded"
	resize $((first + 1)) && same "$(image kexec_crash_image)" stale
	report $? "after a resize it is stale"
	order=$((first + 1))
	crash 400 && guest console | grep "crash kernel was loaded when the HPT had order $first, not $order"
	report $? "in a crash the machine restarts instead, and says why"

	guest exec 'insmod /guest/pseries-hpt.ko && load -p' || bail_out "no crash kernel"
	if guest exec 'grep -q " crash_handle_hotplug_event$" /proc/kallsyms'; then
		resize $((first + 1)) && comes 1 && resize "$first" &&
			same "$(image kexec_crash_image)" stale
		report $? "a CPU came at another order: it is stale, back at its own too"
	else
		skip "a CPU comes at another order" "the kernel has no CONFIG_CRASH_HOTPLUG"
	fi

	load -p && guest exec "$reloader"
	report $? "a crash kernel is loaded, and a service that loads it again"
	guest exec "echo $((first + 1)) >/sys/kernel/debug/powerpc/hpt_order" && reloaded &&
		tree $((first + 1)) 2
	report $? "resized by the kernel, it is loaded again"
	resize $((first - 1)) && reloaded && tree $((first - 1)) 2 &&
		same "$(guest exec 'xargs </tmp/reloads')" "order $((first + 1)) order $((first - 1))"
	report $? "resized by the driver, it is loaded again"
	order=$((first + 1))
	resized_twice "$first" $order && reloaded
	report $? "resized twice, it is loaded for the second"
	crash 400 && second_has $order
	report $? "in a crash it runs"
	dump
	report $? "the dump is there and can be read"
}

[ -e "$tools/release" ] || {
	echo "1..0 # SKIP there are no crash tools in the cache: lab/setup"
	exit 0
}
bring
case $1 in
start)
	plan 6
	start_tests ;;
crash)
	plan 10
	crash_tests ;;
*)
	echo "usage: guest_kexec start|crash" >&2
	exit 2 ;;
esac
guest stop
ktap_finished
