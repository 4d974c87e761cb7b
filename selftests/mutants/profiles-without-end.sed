# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/node.c
# takes out: how many profiles there may be
# test: nodes -t nonsense
/^static int hvx_profile_add\(/,/^}/s/if \(n >= HVX_PROFILES_MAX\)/if (n > 100000)/
