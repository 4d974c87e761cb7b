# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: that COMMIT says why PREPARE has failed
# test: shown -t failed
/^static int hvx_commit_locked/,/^}/s/rs->state == HVX_FAILED/false/
