# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop.c
# takes out: only stop, no other facility, is emulated
# argued: of the other facilities an emulated CPU has only doorbells tell KVM that they are not there, and stock KVM emulates those; on a server a guest that uses one it must not have would go on behind the instruction
/^bool hvx_stop_emulate\(/,/^}/s/vcpu->arch.hfscr >> HVX_HFSCR_IC_SHIFT != HVX_HFSCR_IC_STOP \|\|/false ||/
