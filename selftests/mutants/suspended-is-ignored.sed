# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: a resize may begin while the table is being replaced
# test: resize_reset -t no_prepare_meanwhile
/^static int hvx_resize_prepare_locked\(/,/^}/s/if \(rz->suspended\)/if (false)/
