# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: a change of memslots does not wait for the harvest
# test: hpte_lock -t memslot_waits_for_harvest
/^static int hvx_prepare_memory_region\(/,/^}/s/hvx_harvest_wait\(.*\);//
