# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: unloading does not wait for vCPUs of VMs older than the module
# test: module_lifecycle -t vcpu_of_older_vm
# spoils: the module's text
/^void hvx_gate_kill\(/,/^}/s/while \(!wait_event_timeout\(gate->empty, hvx_gate_empty\(gate\),/while (0 \&\& !wait_event_timeout(gate->empty, hvx_gate_empty(gate),/
