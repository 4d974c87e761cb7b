#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# machine/two_hosts.sh [ROAD...]: a guest with a program at work goes from one emulated
# host to another, through a file, as only one host runs at a time: each saves it as stock
# QEMU's savevm does, and the next one goes on with it, by loadvm, which is what a
# migration sends. Prints KTAP. A road is the name of one of those below; all by default.

# shellcheck source=lab/lib.sh
. "$(dirname "$0")/../../lab/lib.sh"
# shellcheck source=selftests/lib/ktap.sh
. "$TOP/selftests/lib/ktap.sh"

# A command that fails is a test that does.
set +e

# road NAME: the guest's options, then a line for each host, one after another: the module's
# parameters, or "none" for a host without it, and what the module is to say of the guest
# there.
road()
{
	case $1 in
	kernels)
		# The older one and the one with the other strategy, and back.
		cat <<-EOF
			-m 256M
			power9:6.1 resize_strategy=copy strategy copy
			power9:7.3 resize_strategy=mirror strategy mirror
			power9:6.1 resize_strategy=copy strategy copy
		EOF
		;;
	module)
		# Without the module in between.
		cat <<-EOF
			-m 256M
			power9:6.12 resize_strategy=mirror strategy mirror
			power9:6.12 none none none
			power9:6.12 resize_strategy=copy strategy copy
		EOF
		;;
	stop)
		# It stops natively, goes to where that is emulated, on an older CPU, and back.
		cat <<-EOF
			-m 256M -M max-cpu-compat=power9
			power10:6.12 guest_stop=native,guest_stop_native=yes mode native
			power9:6.12 guest_stop=emulate mode emulate
			power10:6.12 guest_stop=native,guest_stop_native=yes mode native
		EOF
		;;
	pages)
		# Pages of 16 MiB: on a host that has such, and on one that has them of 1 GiB.
		# QEMU 7.2, as 10.0.2 has no XICS in what it saves.
		cat <<-EOF
			-m 1G -Q 7.2 -M max-cpu-compat=power8,ic-mode=xics,cap-hpt-max-page-size=16M
			power8:6.12 hpt_max_page_shift=24 limit 24
			power9:6.12 hpt_max_page_shift=24 limit 24
		EOF
		;;
	*) die "two_hosts.sh: there is no road '$1'" ;;
	esac
}

dir=$BUILD/two-hosts

# on_host MACHINE:KERNEL ARGUMENT...: runs selftests/linux/guest_elsewhere.sh there.
on_host()
{
	local qemu=

	[ ! -e "$CACHE/qemu/identity" ] || [ "${1%:*}" = power8 ] || qemu=built
	"$TOP/lab/host" --machine "${1%:*}" --kernel "${1#*:}" --smp 1 --cma 25 --time 400 \
		${qemu:+--qemu "$qemu" --append "hugepagesz=1G hugepages=1"} --run "/selftests/linux/guest_elsewhere.sh ${*:2}"
}

# travel NAME: that road. The guest's file is on the way from one host to the next.
travel()
{
	local hosts options host parameters what part=first

	mapfile -t hosts < <(road "$1")
	options=${hosts[0]}
	hosts=("${hosts[@]:1}")
	rm -rf "$dir"
	mkdir -p "$dir"
	for step in "${!hosts[@]}"; do
		read -r host parameters what <<<"${hosts[step]}"
		[ $((step + 1)) -lt ${#hosts[@]} ] || part=last
		on_host "$host" "$part" "$parameters" "$what" "$options" >"$dir/log"
		set -- "$1" $?
		sed 's/^/# /' "$dir/log"
		report "$2" "$1: $host, $parameters"
		part=middle
	done
}

roads=${*:-kernels module stop pages}
plan "$(for name in $roads; do road "$name"; done | grep -c :)"
for name in $roads; do
	travel "$name"
done
ktap_finished
