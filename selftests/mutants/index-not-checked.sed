# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: the bounds check of an index that the guest gives
# test: hcall_fuzz
# spoils: memory
/^static inline bool hvx_touches\(/,/^}/s/ && index < hpt_nr_hptes\(.*\);/;/
