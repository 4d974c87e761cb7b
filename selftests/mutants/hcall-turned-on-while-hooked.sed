# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: an hcall that the VMM turns on goes to the stock handlers, hooked or not
# test: resize_seams -t hcall_turned_off_and_on
/^void hvx_intercept_enable\(/,/^}/s/\} else if \(hvx_hcall_hooked\(ic, hcall\)\) \{/} else if (false) {/
