# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: the next PREPARE fills a table while the last one is being harvested
# test: hpte_lock -t prepare_waits_for_harvest
/^static void hvx_prepare_work\(/,/^}/{
s/hvx_harvest_wait\(&rz->harvest\);//
s/hvx_harvest_busy\(&rz->harvest\) \|\| //
}
