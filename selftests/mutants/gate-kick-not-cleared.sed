# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: the flag of a kick stays set when the thread is out
# test: resize_seams -t unseen
/^static void hvx_gate_clear_kick\(/,/^}/s/clear_notify_signal\(\);/;/
