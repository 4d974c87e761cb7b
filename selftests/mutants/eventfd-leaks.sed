# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/holders.c
# takes out: the eventfd that another one replaces is let go
# test: resize_seams -t eventfds_come_and_go
/^int hvx_holders_notify\(/,/^}/{
/if \(ctx\)/d
/eventfd_ctx_put\(ctx\);/d
}
