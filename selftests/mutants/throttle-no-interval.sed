# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/throttle.c
# takes out: the least time between two PREPAREs
# test: resize_throttle -t interval
/^int hvx_throttle_wait_ms\(/,/^}/s/if \(!ktime_after\(t->begin_after, now\)\)/if (true)/
