# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop.c
# takes out: a VM that did not ask has its stops emulated
# test: guest_stop -t off
/^bool hvx_stop_emulate\(/,/^}/s/!\(atomic_read\(&vm->stop->modes\) & HVX_STOP_MODES\)/false/
