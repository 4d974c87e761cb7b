# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop.c
# takes out: only stop, no other facility, is emulated
# test: guest_stop -t others_still_trap
/^bool hvx_stop_emulate\(/,/^}/s/vcpu->arch.hfscr >> HVX_HFSCR_IC_SHIFT != HVX_HFSCR_IC_STOP \|\|/false ||/
