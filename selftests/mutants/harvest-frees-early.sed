# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: the harvest ends without waiting for vCPUs in its hook
# test: hpte_lock -t harvest_waits_for_hcall
/^static void hvx_harvest_table\(/,/^}/s/hvx_hook_wait\(hv->intercept\);//
