# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/hptes.h
# takes out: R and C stay set in a valid entry that is copied (told of twice)
# test: resize_seams -t dirty_once
/^static inline void hvx_hpte_copy\(/,/^}/s/ & cpu_to_be64\(~HPT_R_RC\)//
