#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# machine/nmi.sh NAME KERNEL: what a system reset or machine check does that meets a
# guest that stops, on the running host NAME, which kvm-hv-ext is not inserted in.
# Prints KTAP. The host ends by it. It has one CPU, as QEMU's nmi goes to all, and the
# mended QEMU (lab/qemu), which reports power saving as the hardware does.

# shellcheck source=lab/lib.sh
. "$(dirname "$0")/../../lab/lib.sh"
# shellcheck source=lab/session.sh
. "$TOP/lab/session.sh"
# shellcheck source=selftests/lib/ktap.sh
. "$TOP/selftests/lib/ktap.sh"

# A command that fails is a test that does.
set +e

[ $# = 2 ] || die "usage: machine/nmi.sh NAME KERNEL"
name=$1
module=/build/$2/modules/kvm-hv-ext.ko
dir=$(session_dir "$name")
session_alive "$name" || die "there is no running host '$name'"
session_open "$name"

# What GPR30 and GPR31 of selftests/stop_nmi.c say.
WHO=0073746f706e6d69
STOPS=0000000053544f50
# The monitor's commands for a system reset and for a machine check.
RESET=nmi
CHECK="qom-set /machine x-machine-check true"

on_host()
{
	printf '%s\n' "$*" >"$dir/nmi.sh"
	session_exec "$name" 120 "$dir/nmi.sh"
}

# cpu_is WHERE: is the paused CPU in the guest; "stopped" or anywhere in it, but for the
# vectors below 64 KiB? What another interrupt meets there the guest does not survive.
cpu_is()
{
	session_monitor "$name" 'info registers' | tr -d '\r' | tee "$dir/registers" |
		awk -v where="$1" -v who="$WHO" -v stops="$STOPS" '
		$1 == "NIP" { high = $2 !~ /^000000000000/ }
		$1 == "MSR" { guest = $2 ~ /^8/ } # SF, and no HV
		$1 == "GPR28" { us = $4 == who; stopped = $5 == stops }
		END { exit !(guest && high && us && (where == "guest" || stopped)) }'
}

# nmi_when WHERE COMMAND: the monitor's command, when the CPU is there; fails if it
# never is.
nmi_when()
{
	local end=$((SECONDS + 30))

	while [ "$SECONDS" -lt "$end" ] && session_alive "$name"; do
		session_monitor "$name" stop >&2 || return 1
		if cpu_is "$1"; then
			session_monitor "$name" "$2" >&2
			session_monitor "$name" cont >&2
			return 0
		fi
		session_monitor "$name" cont >&2 || return 1
	done
	echo "# the CPU was never seen there ($1)"
	return 1
}

# guest MODE: starts one, in the background.
guest()
{
	on_host "/build/selftests/stop_nmi $1 40 >/tmp/nmi 2>&1 & echo \$! >/tmp/nmi.pid"
}

# verdict: what it says in the end.
verdict()
{
	# shellcheck disable=SC2016 # for the host's shell
	on_host 'while kill -0 $(cat /tmp/nmi.pid); do usleep 20000; done 2>/dev/null
		 cat /tmp/nmi'
}

# insert PARAMETERS
insert()
{
	on_host "rmmod kvm-hv-ext 2>/dev/null; insmod $module $1"
}

# shallow 0|1: 1 keeps the host to idle states that leave PSSCR[ESL|EC] clear.
shallow()
{
	on_host "for state in /sys/devices/system/cpu/cpu0/cpuidle/state*; do
			[ \$(cat \$state/name) = stop0_lite ] || echo $1 >\$state/disable
		 done
		 sleep 1"
}

plan 8
insert guest_stop_native=yes || {
	ktap_exit_fail_msg "kvm-hv-ext cannot be inserted"
}
lacks=$(on_host '/build/selftests/stop_nmi lacks')
if [ "$lacks" != nothing ]; then
	skip_rest "system reset" "$lacks"
	ktap_finished
fi
on_host 'dmesg | grep -q "guest_stop_native=yes.*take over the host"'
report $? "guest_stop_native=yes says in the log what the danger is"

# attack NAME MODE COMMAND VERDICT: what has to come of it.
attack()
{
	local seen

	guest "$2" && { [ -z "$3" ] || nmi_when stopped "$3"; }
	seen=$(verdict)
	echo "# $seen"
	[ "${seen%%:*}" = "$4" ]
	report $? "$1"
}

attack "native, system reset: the guest's code is executed by the hypervisor" \
	native "$RESET" "taken over"
attack "native, machine check: so it is" native "$CHECK" "taken over"

shallow 1
insert "guest_stop_off_traps=N"
attack "off, but left to chance, system reset: so it is" off "$RESET" "taken over"
insert ''
attack "off: the stop traps, whatever the host's last idle state was" off '' "no stop"
shallow 0

on_host '/build/selftests/guest_stop -t by_default' >"$dir/by_default.tap"
sed 's/^/# /' "$dir/by_default.tap"
grep -q '^ok.*by_default$' "$dir/by_default.tap"
report $? "by default native is emulated with this kernel"

guest native && nmi_when guest "$CHECK"
seen=$(verdict)
echo "# $seen"
[ "$seen" = "machine check" ]
report $? "by default, machine check: the host passes it on to the guest"

guest native && nmi_when guest "$RESET"
status=$?
timeout 60 tail --pid="$(cat "$dir/pid")" -f /dev/null || true
[ $status = 0 ] && ! session_alive "$name" &&
	grep -a 'System Reset' "$dir/console.log" | tr -d '\r' | head -n 3 |
	sed 's/^/# /' | grep .
report $? "by default, system reset: the host handles it, by a panic as ever"
ktap_finished
