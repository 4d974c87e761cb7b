#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# machine/qemu_order.sh QEMU: that QEMU, on this machine and without KVM, moves a Linux
# guest whose HPT is to be resized, or that is reset, after the order of the HPT has been
# sent, and says what the order is (kvm-hv/qemu). What takes KVM it refuses. Prints KTAP.

# shellcheck source=lab/lib.sh
. "$(dirname "$0")/../../lab/lib.sh"
# shellcheck source=selftests/lib/ktap.sh
. "$TOP/selftests/lib/ktap.sh"

# A command that fails is a test that does.
set +e

[ $# = 1 ] || die "usage: machine/qemu_order.sh QEMU"
qemu=$1
kernel=6.12
dir=$(mktemp -d)
order=/sys/kernel/debug/powerpc/hpt_order
declare -A pid=()

give_up()
{
	echo "Bail out! $1"
	sed 's/^/# /' "$dir"/*/log
	exit 1
}

# shellcheck disable=SC2317 # for the trap
cleanup()
{
	[ "${#pid[@]}" = 0 ] || kill -KILL "${pid[@]}"
	wait
	rm -rf "$dir"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 130' INT TERM

make_initrd()
{
	mkdir "$dir/root"
	cp "$TOP/lab/rootfs/guest-init" "$dir/root/init"
	"$TOP/lab/image" "$kernel" >&2
	cat "$BUILD/images/guest-$kernel.cpio" >"$dir/initrd"
	(cd "$dir/root" && find . | cpio -o -H newc --quiet) >>"$dir/initrd"
}

# start NAME OPTION...
start()
{
	local name=$1 at=$dir/$1

	shift
	[ -z "${pid[$name]:-}" ] || {
		kill -KILL "${pid[$name]}"
		wait "${pid[$name]}"
	} 2>/dev/null
	rm -rf "$at"
	mkdir "$at"
	mkfifo "$at"/{cmd,mon}.{in,out}
	"$qemu" -cpu power9 -m 256M -nodefaults -display none -L /usr/share/qemu \
		-M pseries,accel=tcg,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off \
		-kernel "$(kernel_dir "$kernel")/boot/vmlinux-$(kernel_release "$kernel")" \
		-initrd "$dir/initrd" -append "console=hvc0 disable_radix" \
		-chardev "file,id=con,path=$at/console" \
		-device spapr-vty,chardev=con,reg=0x30000000 \
		-chardev "pipe,id=cmd,path=$at/cmd" \
		-device spapr-vty,chardev=cmd,reg=0x30001000 \
		-chardev "pipe,id=mon,path=$at/mon" -mon chardev=mon,mode=control \
		"$@" >"$at/log" 2>&1 <>/dev/null &
	pid[$name]=$!
	# Open for both: neither end waits, nor sees an end of file.
	case $name in
	a) exec 10<>"$at/cmd.in" 11<>"$at/cmd.out" 12<>"$at/mon.in" 13<>"$at/mon.out" ;;
	b) exec 20<>"$at/cmd.in" 21<>"$at/cmd.out" 22<>"$at/mon.in" 23<>"$at/mon.out" ;;
	esac
	echo '{"execute":"qmp_capabilities"}' >"$at/mon.in"
	answer "$name" >/dev/null
}

# answer NAME: of its monitor.
answer()
{
	local line

	while IFS= read -r -t 20 line <"$dir/$1/mon.out"; do
		case $line in
		'{"return"'*|'{"error"'*)
			printf '%b\n' "$line"
			return 0 ;;
		esac
	done
	return 1
}

# monitor NAME COMMAND...
monitor()
{
	local name=$1

	shift
	echo "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"$*\"}}" \
		>"$dir/$name/mon.in"
	answer "$name"
}

# await NAME SECONDS MARK: the rest of a line from the guest that begins with it.
await()
{
	local line='' part end=$((SECONDS + $2))

	while [ "$SECONDS" -lt "$end" ]; do
		# A line may come in pieces.
		if ! IFS= read -r -t 5 part <"$dir/$1/cmd.out"; then
			line+=$part
			continue
		fi
		line+=$part
		line=${line%$'\r'}
		case $line in
		"$3"*)
			echo "${line#"$3"}"
			return 0 ;;
		esac
		[ "$3" = lab-guest-ready ] || echo "$line" >>"$dir/said"
		line=''
	done
	return 1
}

# in_guest NAME SECONDS SCRIPT: what it prints, and its status.
in_guest()
{
	local script status mark=mark-${EPOCHREALTIME/./}

	script=$(base64 -w 0 <<<"$3")
	: >"$dir/said"
	echo "$mark ${#script} $2 $script" >"$dir/$1/cmd.in"
	status=$(await "$1" "$(($2 + 10))" "$mark end ") || return 255
	sed '/^mark-/d' "$dir/said"
	return "$status"
}

# is_order NAME ORDER
is_order()
{
	same "$(in_guest "$1" 20 "cat $order" | tail -n 1)" "$2"
}

status()
{
	monitor "$1" info migrate | sed -nE 's/.*(Migration s|[^n] *S|^S)tatus: *([a-z-]+).*/\2/p' |
		head -n 1
}

# await_status NAME STATUS
await_status()
{
	local end=$((SECONDS + 60)) now

	while [ "$SECONDS" -lt "$end" ]; do
		now=$(status "$1")
		[ "$now" != "$2" ] || return 0
		[ "$now" != failed ] || break
		sleep 0.2
	done
	echo "# migration: $now"
	return 1
}

# depart FROM TO: RAM is being sent, so slowly that it does not come to an end.
depart()
{
	rm -f "$dir/socket"
	start "$2" -incoming "unix:$dir/socket"
	monitor "$1" migrate_set_parameter max-bandwidth 1M >/dev/null
	monitor "$1" migrate_set_parameter downtime-limit 20 >/dev/null
	monitor "$1" migrate -d "unix:$dir/socket" >/dev/null
	await_status "$1" active
}

# arrive FROM TO
arrive()
{
	monitor "$1" migrate_set_parameter max-bandwidth 10G >/dev/null
	await_status "$1" completed || {
		sed 's/^/# /' "$dir/$1/log" "$dir/$2/log"
		return 1
	}
}

# property NAME PROPERTY: of its machine.
property()
{
	monitor "$1" qom-get /machine "$2" | sed -nE 's/.*"return": "([0-9]*).*/\1/p'
}

# refuses PATTERN MACHINE-OPTION: no such machine, and why.
refuses()
{
	local status=0

	timeout 60 "$qemu" -nodefaults -display none -S -L /usr/share/qemu \
		-M "pseries,accel=tcg,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off,$2" \
		>"$dir/refused" 2>&1 </dev/null || status=$?
	[ "$status" = 1 ] && grep "$1" "$dir/refused" && return
	sed 's/^/# /' "$dir/refused"
	return 1
}

plan 11
refuses "No stop for guests with tcg" cap-guest-stop=on
report $? "no cap-guest-stop without KVM"
refuses "No choice of resize-hpt-strategy with tcg" resize-hpt-strategy=mirror
report $? "no resize-hpt-strategy without KVM"
make_initrd
start a
await a 240 lab-guest-ready >/dev/null || give_up "the guest does not start"
first=$(in_guest a 20 "cat $order" | tail -n 1)
in_guest a 30 "echo $((first + 1)) >$order" && is_order a $((first + 1))
report $? "the HPT grows from order $first to $((first + 1))"
echo "# PREPARE $(property a hpt-resize-prepare-us) us, COMMIT $(property a hpt-resize-commit-us) us"
same "$(property a hpt-order)" $((first + 1)) && same "$(property a hpt-resizes)" 1 &&
	[ "$(property a hpt-resize-commit-us)" -gt 0 ]
report $? "the machine knows it"

depart a b
report $? "the guest is being moved"
# The kernel in the guest gives up after ten seconds.
! in_guest a 60 "echo $first >$order" >/dev/null 2>&1 && is_order a $((first + 1))
report $? "its HPT is not resized once its order is sent"
arrive a b && is_order b $((first + 1))
report $? "it arrives, with order $((first + 1))"
in_guest b 60 "echo $first >$order && echo $((first + 1)) >$order" &&
	is_order b $((first + 1))
report $? "there the HPT shrinks to order $first and grows again"

depart b a
report $? "the guest is being moved again"
monitor b system_reset >/dev/null
arrive b a
report $? "it arrives after a reset, which made an HPT of order $first"
await a 240 lab-guest-ready >/dev/null && is_order a "$first"
report $? "it is up again there"
ktap_finished
