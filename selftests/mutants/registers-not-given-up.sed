# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/registers.c
# takes out: that the VMM's FP registers are not loaded again while the guest's are
# test: vmm_registers
/^void hvx_registers_put_away\(/,/^}/s/hvx_registers_put_math_away\(\);//
