# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/registers.c
# takes out: the VMM gets its DEXCR and HASHKEYR back
# test: vmm_registers -t hash_apart
# host: power10:6.12
/^static void hvx_registers_restore_power10\(/,/^}/s/hvx_registers_load_power10\(.*\);//
