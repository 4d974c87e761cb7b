# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/limit.c
# takes out: a strict limit does not refuse H_ENTER
# test: hpt_limit
/^static bool hvx_limit_refuses\(/,/^}/s/return !kvm_is_radix/return false \&\& !kvm_is_radix/
