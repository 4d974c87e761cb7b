#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_stock: the guest driver needs nothing of ours in the hypervisor. Takes
# kvm-hv-ext away, so that stock KVM serves the resizes, and puts it back.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

kernel=$LAB_KERNEL

plan 4
rmmod kvm-hv-ext
report $? "kvm-hv-ext can be removed when no guest uses it"
guest start || bail_out "the guest does not start"
guest exec 'insmod /guest/pseries-hpt.ko' || bail_out "no guest driver"
first=$(order)
resize $((first + 1)) && resize "$first"
report $? "stock KVM serves the guest driver"
log_is_clean
report $? "nothing alarming in the guest's log"
guest stop
# shellcheck disable=SC2086 # a list
insmod "/build/$kernel/modules/kvm-hv-ext.ko" ${MODULE_PARAMETERS:-}
report $? "kvm-hv-ext can be inserted again"
ktap_finished
