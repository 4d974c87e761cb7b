# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/registers.c
# takes out: the VMM gets its special registers back
# test: vmm_registers -t specials_kept
# host: power8:7.3
/^static void hvx_registers_restore_power8\(/,/^}/s/mtspr\(.*\);//
