# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/gate.h
# takes out: a vCPU that uses hooks does not say so
# test: hpte_lock -t cancel_waits_for_hcall
/^static inline void hvx_gate_section_begin\(/,/^}/s/WRITE_ONCE\(entry->section, .*\);/;/
