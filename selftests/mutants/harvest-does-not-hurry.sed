# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: who waits for a harvest has it go faster
# test: hpte_lock
/^static void hvx_harvest_hurry\(/,/^}/s/set_user_nice\(hv->thread, 0\);/;/
