# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: the grace period between the end of a hook and the freeing of its tables
# test: hpte_lock -t cancel_waits_for_hcall
# test: hpte_lock -t harvest_waits_for_hcall
/^void hvx_hook_wait\(/,/^}/s/hvx_gate_section_wait\(.*\);//
