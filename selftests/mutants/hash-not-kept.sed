# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/hash.c
# takes out: a guest's DEXCR and HASHKEYR are kept for its next run
# test: vmm_registers -t hash_apart
# host: power10:7.3
/^void hvx_hash_leave\(/,/^}/s/^\t\*(dexcr|hashkeyr) = .*;$//
