# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests on the emulated host do with a Linux guest. To be sourced.

# shellcheck source=selftests/lib/ktap.sh
. /selftests/lib/ktap.sh
# shellcheck source=selftests/lib/alarms.sh
. /selftests/lib/alarms.sh

bail_out()
{
	guest stop
	ktap_exit_fail_msg "$1"
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

# churn_begin MIB: a program in the guest changes mappings and compares their bytes.
churn_begin()
{
	guest exec "churn -m $1 >/tmp/churn 2>&1 & echo \$! >/tmp/pid
		    until grep -q ready /tmp/churn; do usleep 100000; done"
}

# churn_end: it ends, and has found every byte as expected.
churn_end()
{
	# shellcheck disable=SC2016 # for the guest's shell
	guest exec -t 60 'kill -TERM $(cat /tmp/pid)
		    while grep -q "^churn" /proc/$(cat /tmp/pid)/comm; do
			usleep 100000
		    done 2>/dev/null
		    tail -n 1 /tmp/churn | grep OK'
}

# log_is_clean: the guest has a log, and nothing alarming is in it.
log_is_clean()
{
	guest exec dmesg >/tmp/guest.dmesg && [ -s /tmp/guest.dmesg ] &&
		! alarms /tmp/guest.dmesg | sed 's/^/# /' | grep .
}
