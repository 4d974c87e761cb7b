# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: the balloon may be used again from COMMIT on
# test: hpte_lock -t commit_waits_for_no_harvest
/^static int hvx_commit_ready\(/,/^}/s/hvx_resize_release_memory\(rs\);//
