# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: an hcall does not harvest what it is about to show
# test: resize_dirty -t guest_view_of_c
/^static void hvx_harvest_before\(/,/^}/s/if \(e.v\)/if (false)/
