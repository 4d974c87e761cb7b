# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/caps.c
# takes out: KVM_ENABLE_CAP takes any flags
# test: resize_seams -t flags_of_capabilities
/^static long hvx_enable_cap\(/,/^}/s/if \(!vm \|\| cap->flags\)/if (!vm)/
