# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests on the emulated host do with a Linux guest. To be sourced.

bail_out()
{
	echo "Bail out! $1"
	guest stop
	exit 1
}

# served: resizes of the running guest that kvm-hv-ext has served so far.
served()
{
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/resizes 2>/dev/null |
		grep -vc '^#'
}

# order: the guest's HPT order, if its driver and its kernel agree on it.
order()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest exec 'a=$(cat /sys/kernel/hpt/order)
		    b=$(cat /sys/kernel/debug/powerpc/hpt_order)
		    [ "$a" = "$b" ] && echo "$a"'
}

# resize ORDER: by the guest's driver.
resize()
{
	guest exec "echo $1 >/sys/kernel/hpt/order" && [ "$(order)" = "$1" ]
}
