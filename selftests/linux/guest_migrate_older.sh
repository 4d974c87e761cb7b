#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate_older: a guest is migrated to where no kvm-hv-ext serves it, and back. There
# that is a QEMU of this host whose VM is older than the module, which has stock KVM.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh
# shellcheck source=selftests/linux/migration.sh
. /selftests/linux/migration.sh

options="-m 256M"
kernel=$LAB_KERNEL

# ours: whether the module knows the VM.
ours()
{
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/state >/dev/null 2>&1
}

plan 9
rmmod kvm-hv-ext && expect
report $? "a QEMU older than the module"
# shellcheck disable=SC2086 # a list
insmod "/build/$kernel/modules/kvm-hv-ext.ko" ${MODULE_PARAMETERS:-}
report $? "kvm-hv-ext is inserted"

# shellcheck disable=SC2086 # a list
guest start $options || bail_out "the guest does not start"
guest exec 'insmod /guest/pseries-hpt.ko' || bail_out "no guest driver"
first=$(order)
big=$((first + 1))
churn_begin 24
ours && resize $big
report $? "a guest served by the module, its HPT grown to order $big"
depart && arrive && ! ours
report $? "it is migrated to where stock KVM serves it"
same "$(order)" $big && resize "$first" && resize $big
report $? "order $big has come along, and stock KVM resizes it"
if grep -q POWER8 /proc/cpuinfo; then
	skip "it is migrated back" "stock KVM on a POWER8 stops the host with the dirty log on"
	skip "and resized by the module" "stock KVM on a POWER8 stops the host with the dirty log on"
else
	expect && depart && arrive && ours
	report $? "it is migrated back"
	same "$(order)" $big && resize "$first"
	report $? "and resized by the module"
fi
bytes_and_log
stop_both
ktap_finished
