# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/hpt.c
# takes out: the reverse maps so far when there is no memory for the next one
# test: resize_nomem -t each_allocation
/^struct hvx_rmaps \*hvx_rmaps_alloc\(/,/^}/{
/if \(!rmaps->slot\[i\].rmap\)/,/}/s/hvx_rmaps_free\(rmaps\);//
}
