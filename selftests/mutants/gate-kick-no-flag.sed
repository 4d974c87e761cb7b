# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: a kick that does not set TIF_NOTIFY_SIGNAL
# test: resize_race
# test: resize_stall
/^void hvx_gate_kick\(/,/^}/s/!test_and_set_tsk_thread_flag\(.*\)\)$/false)/
