# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/hpt.c
# takes out: the table when there is no memory for its reverse map entries
# test: resize_nomem -t each_allocation
/^int hvx_hpt_alloc\(/,/^}/{
/if \(!hpt->rev\)/,/goto free;/s/goto free;/{ memset(hpt, 0, sizeof(*hpt)); return ret; }/
}
