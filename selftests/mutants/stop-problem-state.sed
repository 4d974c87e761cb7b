# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop.c
# takes out: a stop in problem state is refused
# test: guest_stop -t problem_state
/^bool hvx_stop_emulate\(/,/^}/s/vcpu->arch.shregs.msr & MSR_PR \|\| //
