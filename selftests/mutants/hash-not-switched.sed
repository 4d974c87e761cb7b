# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/hash.c
# takes out: DEXCR and HASHKEYR change places when the thread is scheduled away
# test: vmm_registers -t hash_apart_at_the_same_time
# host: power10:7.3
/^static void hvx_hash_sched_(in|out)\(/,/^}/s/hvx_hash_exchange\(.*\);//
