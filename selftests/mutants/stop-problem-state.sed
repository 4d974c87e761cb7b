# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop.c
# takes out: a stop in problem state is refused
# argued: a stop in problem state is a privileged instruction, and the guest takes the interrupt for it: KVM is not asked (guest_stop: problem_state)
/^bool hvx_stop_emulate\(/,/^}/s/vcpu->arch.shregs.msr & MSR_PR \|\| //
