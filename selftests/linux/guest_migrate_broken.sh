#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate_broken: what comes between stock QEMU and the end of a migration. A guest is
# reset while its memory is sent, and has another table then than the one whose order was
# sent. If it had shrunk, no destination takes what comes, and it stays. If it had grown,
# one does, and the guest is lost: kvm-hv/qemu/0002 mends both (guest_vmm.sh). Post-copy
# loses its connection, with a resize put off, and finds another one.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh

# With half of its memory, so that there is room for an HPT of less than its share.
options="-m 512M -a mem=256M"

# reset_meanwhile ORDER: it has an HPT of this order and is reset while it is migrated. As with
# libvirt, the source waits for the destination's word.
reset_meanwhile()
{
	resize "$1" && expect && both migrate_set_capability return-path on && depart &&
		guest monitor system_reset && guest await
}

# runs_there: what has to come before it can run is there. Until then the destination ends
# when it loses its connection, although the source calls it post-copy.
runs_there()
{
	GUEST=$there guest monitor info status | grep running
}

driver()
{
	guest exec "insmod /guest/pseries-hpt.ko"
}

plan 11
# shellcheck disable=SC2086 # a list
guest start $options || bail_out "the guest does not start"
driver || bail_out "no guest driver"
first=$(order)
big=$((first + 1))

reset_meanwhile $((first - 1))
report $? "a guest whose HPT has shrunk is reset while it is migrated"
guest monitor migrate_set_parameter max-bandwidth 10G
! await_status completed && within 30 ended && grep "htab_load() bad index" "/tmp/guest/$there/qemu.log"
report $? "no stock QEMU takes it ($now)"
GUEST=$there guest stop
guest exec -t 20 true && driver && same "$(order)" "$first" && resize $big && resize "$first"
report $? "it goes on where it is, with a table of order $first, and is resized"

churn_begin 24
expect && both migrate_set_capability postcopy-ram on && depart
ask $big
put_off && post_copy && within 30 runs_there
report $? "it is migrated by post-copy, with a resize put off"
guest monitor migrate_pause && await_status postcopy-paused
report $? "the connection is lost"
GUEST=$there guest monitor migrate_recover unix:/tmp/again &&
	guest monitor migrate -d -r unix:/tmp/again && arrive
report $? "it is migrated by another one"
answered $big
report $? "there the HPT grows to order $big"
bytes_and_log

guest monitor migrate_set_capability postcopy-ram off
reset_meanwhile $big && arrive_silent
report $? "a guest whose HPT has grown is reset while it is migrated, and stock QEMU takes it"
! guest exec -t 20 true 2>/dev/null
report $? "it is lost, as vmm.rst says"
stop_both
ktap_finished
