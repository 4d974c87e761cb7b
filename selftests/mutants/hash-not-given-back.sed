# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/hash.c
# takes out: the VMM gets its DEXCR and HASHKEYR back
# test: vmm_registers -t hash_apart
# host: power10:7.3
/^void hvx_hash_leave\(/,/^}/s/hvx_hash_exchange\(hash\);//
