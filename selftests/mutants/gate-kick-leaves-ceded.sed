# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: a kick that does not wake vCPUs that sleep in H_CEDE
# test: resize_seams -t ceded
/^void hvx_gate_kick\(/,/^}/{
/hvx_vcpu_wake_up\(/d
/wake_up\(&entry->vcpu->arch.cpu_run\)/d
}
