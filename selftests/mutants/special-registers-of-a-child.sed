# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/registers.c
# takes out: what the kernel has saved of the VMM's special registers is brought up to date
# test: vmm_registers -t specials_of_a_child
# host: power8:7.3
/^void hvx_registers_give_back\(/,/^}/s/kvmppc_save_current_sprs\(\);//
