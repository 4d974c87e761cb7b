# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/throttle.c
# takes out: the wait after a PREPARE that found no memory
# test: resize_throttle -t no_memory
/^void hvx_throttle_ended\(/,/^}/s/if \(ret != -ENOMEM\)/if (true)/
