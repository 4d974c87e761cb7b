#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_big_endian [STRATEGY...]: a big-endian guest, by the resizer of its own kernel, has
# its HPT larger and smaller, copied and mirrored (or by these strategies), with a program
# at work that compares every byte of its memory. By H_READ the guest looks up what its
# kernel has bolted, for all of its memory, and finds the same in the end. A difference
# between the tables makes COMMIT fail (verify).
#
# There is no shell in that guest: what "guest exec" takes is in
# selftests/linux/big-endian/init.c.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

hpt=/sys/kernel/debug/powerpc/hpt_order

# resize ORDER
resize()
{
	guest exec "write $hpt $1" && same "$(guest exec "read $hpt")" "$1"
}

# served_by STRATEGY
served_by()
{
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/resizes | grep -c " $1 "
}

[ $# -gt 0 ] || set -- copy mirror
plan $(($# * 9))
for strategy; do
	echo "$strategy" >/sys/module/kvm_hv_ext/parameters/resize_strategy
	guest start -k big-endian -m 256M -smp 2 -f /build/selftests/linux/big-endian \
		-a "rdinit=/guest/init" || bail_out "the guest does not start"
	same "$(guest exec machine)" ppc64
	report $? "$strategy: a big-endian guest"
	first=$(guest exec "read $hpt")
	guest exec "begin /guest/churn -m 64" | sed 's/^/# /'
	bolted=$(guest exec bolted)
	echo "# bolted: $bolted"

	# In a smaller one the bolted entries of all memory do not fit into their groups.
	for order in $((first + 1)) "$first" $((first + 1)) "$first"; do
		resize "$order"
		report $? "$strategy: resize to order $order"
		guest exec machine >/dev/null || bail_out "the guest is gone"
	done
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/resizes |
		sed '/^#/d; s/^/# /'
	same "$(served_by "$strategy")" 4
	report $? "$strategy: served, all four"

	[ "${bolted%% *}" -gt 0 ] && same "$(guest exec bolted)" "$bolted"
	report $? "$strategy: each bolted entry as it was"

	guest exec -t 60 end >/tmp/churn
	status=$?
	sed 's/^/# /' /tmp/churn
	[ $status = 0 ] && grep -q "churn: OK" /tmp/churn
	report $? "$strategy: every byte as expected"
	log_is_clean
	report $? "$strategy: nothing alarming in the guest's log"
done
guest stop
ktap_finished
