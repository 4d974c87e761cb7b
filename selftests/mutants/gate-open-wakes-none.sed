# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: opening the gate does not wake those who wait at it
# test: resize_translate
# test: resize_race
/^void hvx_gate_open\(/,/^}/s/wake_up_all\(&gate->wait\);//
