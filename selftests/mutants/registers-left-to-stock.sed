# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/registers.c
# takes out: the VMM's FP registers are saved where the kernel is not preempted
# test: vmm_registers -t kept
# host: power9:7.3-4k
/flush_(fp|altivec)_to_thread/d
