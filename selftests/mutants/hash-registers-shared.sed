# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/registers.c
# takes out: each guest has a DEXCR and a HASHKEYR of its own
# test: vmm_registers -t hash_apart
# host: power10:6.12
/^static void hvx_registers_exchange_power10\(/,/^}/s/hvx_registers_load_power10\(.*\);/;/
