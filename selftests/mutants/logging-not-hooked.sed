# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/logging.c
# takes out: a dirty log on POWER8 has its hcalls served in real mode
# test: dirty_hcalls
# host: power8:6.12
# spoils: the host
/^bool hvx_logging_prepare\(/,/^}/s/if \(cpu_has_feature\(CPU_FTR_ARCH_300\) \|\|/if (true ||/
