#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate_versions: a guest of QEMU 7.2 is migrated to QEMU 10, its HPT resized at
# each. It has XIVE. QEMU 10.0.2, which Debian 12 has, forgets the presenters of XICS and
# does not read what QEMU 7.2 sends of them: a guest that has XICS as well, or that alone, is
# refused, and goes on. So does one that is to go back: QEMU 7.2 does not read its SLB.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh

machine="-m 256M -M type=pseries-7.2"

# begin OPTION...: the guest, with a program at work.
begin()
{
	guest start -Q 7.2 "$@" || bail_out "the guest does not start"
	guest exec 'insmod /guest/pseries-hpt.ko' || bail_out "no guest driver"
	first=$(order)
	big=$((first + 1))
	churn_begin 24
}

# same_bytes: it has found every byte as expected, and the guest nothing alarming.
same_bytes()
{
	churn_end && log_is_clean
}

plan 7
# shellcheck disable=SC2086 # a list
begin $machine
resize $big
report $? "a guest of QEMU 7.2"
# shellcheck disable=SC2086 # a list
expect -Q 10 $machine && depart_refused "Unknown savevm section or instance 'icp/server'"
report $? "QEMU 10.0.2 does not take it, for its XICS"
resize "$first" && same_bytes
report $? "it goes on, every byte as expected"
guest stop

if grep -q POWER8 /proc/cpuinfo; then
	skip_rest "a guest that has XIVE alone" "this CPU has no XIVE"
	ktap_finished
fi
# shellcheck disable=SC2086 # a list
begin $machine,ic-mode=xive
resize $big
report $? "a guest of QEMU 7.2, with XIVE alone"
# shellcheck disable=SC2086 # a list
expect -Q 10 $machine,ic-mode=xive && depart && arrive && same "$(order)" $big &&
	resize "$first"
report $? "it is migrated to QEMU 10, and resized"
# shellcheck disable=SC2086 # a list
expect -Q 7.2 $machine,ic-mode=xive &&
	depart_refused "cpu/slb: incoming version_id 2 is too new"
report $? "QEMU 7.2 does not take it back"
resize $big && same_bytes
report $? "it goes on, every byte as expected"
guest stop
ktap_finished
