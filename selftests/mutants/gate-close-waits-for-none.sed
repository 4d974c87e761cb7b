# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: the gate is closed when the vCPUs have been kicked, not when they are out
# test: resize_race
# test: resize_translate
/^int hvx_gate_close\(/,/^}/s/left = wait_event_killable_timeout\(/left = 1 + 0 * wait_event_killable_timeout(/
