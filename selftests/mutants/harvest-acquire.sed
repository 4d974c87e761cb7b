# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: the barriers between the end of a harvest and who waited for it
# argued: an emulated CPU stores and loads in order on the machines that it runs on
s/smp_store_release\(&hv->old, NULL\)/WRITE_ONCE(hv->old, NULL)/
s/smp_load_acquire\(&hv->old\)/READ_ONCE(hv->old)/
