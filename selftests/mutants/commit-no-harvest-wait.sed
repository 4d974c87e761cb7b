# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: COMMIT waits for the harvest of the table before
# argued: what is ready was filled by a worker that has waited for it
/^static int hvx_commit_try\(/,/^}/s/hvx_harvest_wait\(&rz->harvest\);//
