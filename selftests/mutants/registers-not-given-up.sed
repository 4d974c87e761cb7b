# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/run.c
# takes out: that the VMM's FP registers are not loaded again while the guest's are
# test: vmm_registers
/^static int hvx_run_inside\(/,/^}/s/hvx_run_give_up_math\(\);//
