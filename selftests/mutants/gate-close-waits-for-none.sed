# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.c
# takes out: the gate is closed when the vCPUs have been kicked, not when they are out
# test: hpte_lock -t commit_waits_for_hcall
/^int hvx_gate_close\(/,/^}/{
/left = wait_event_killable_timeout\(/,/;/{
/HVX_GATE_KICK_PERIOD/!d
s/.*/		left = 1;/
}
}
