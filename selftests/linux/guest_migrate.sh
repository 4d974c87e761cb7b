#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate: stock QEMU migrates a guest with a program at work, from one QEMU
# of this host to another and on, and its HPT is resized before, in the middle of it
# and right after. QEMU sends the table's size at the beginning and the table at the
# end, so one that changes in between does not arrive: kvm-hv-ext begins nothing
# and commits nothing while the guest's memory is sent, and the guest driver waits. On a
# POWER8 it also has the guest's hcalls note pages that were written to, of which stock
# KVM stops the host (dirty_hcalls).

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh

options="-m 256M"
test_module=/sys/module/pseries_hpt_test/parameters

# prepared: the hypervisor has a table ready.
prepared()
{
	grep -q ready "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/state
}

# closed: how often COMMIT found nothing to commit, by the guest's log.
closed()
{
	guest exec "dmesg | grep -c 'error 2 from H_RESIZE_HPT_COMMIT'"
}

plan 17
# shellcheck disable=SC2086 # a list
guest start $options || bail_out "the guest does not start"
guest exec "insmod /guest/pseries-hpt.ko && insmod /guest/pseries-hpt-test.ko" ||
	bail_out "no guest driver"
first=$(order)
big=$((first + 1))
churn_begin 24

resize $big
report $? "its HPT grows from order $first to $big"
expect && depart && arrive
report $? "it is migrated"
same "$(order)" $big && resize "$first"
report $? "order $big has come along, and it is resized right after"

expect && depart
report $? "it is being migrated again"
ask $big
put_off
report $? "a resize in the middle of it is put off"
same "$(order)" "$first" && case $(status) in active*) true ;; *) false ;; esac
report $? "and the HPT stays what it was"
arrive
report $? "it arrives"
answered $big
report $? "there the HPT grows to order $big"

expect
guest exec "echo 1 >$test_module/hold_commit"
before=$(closed)
ask "$first"
within 70 prepared && depart
report $? "a migration begins when a table is prepared"
put_off && same "$(closed)" $((before + 1))
report $? "COMMIT finds it gone, and the resize is put off"
arrive && answered "$first"
report $? "it arrives, and the HPT shrinks to order $first"

expect && depart && ask $big && put_off &&
	same "$(order)" "$first" && guest monitor migrate_cancel
report $? "a migration is cancelled, with a resize put off"
answered $big
report $? "so the HPT grows to order $big where it is"
GUEST=$there guest stop

# The pages come when the guest is there, and meets what is not there yet.
expect && both migrate_set_capability postcopy-ram on
guest exec "echo 1 >$test_module/hold_commit"
ask "$first"
within 70 prepared && depart && put_off && post_copy && arrive
report $? "it is migrated by post-copy, with a table prepared before"
answered "$first"
report $? "there the HPT shrinks to order $first"

bytes_and_log
stop_both
ktap_finished
