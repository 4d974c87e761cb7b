# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/hpt.c
# takes out: tables are charged to the VMM's memory cgroup
# test: resize_seams -t charged
/^struct mem_cgroup \*hvx_charge_begin\(/,/^}/s/set_active_memcg\(memcg\)/set_active_memcg(NULL)/
