# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/end.c
# takes out: the worker is not told that its resize was cancelled
# test: hpte_lock -t worker_gives_up
/^void hvx_resize_cancel_locked\(/,/^}/s/WRITE_ONCE\(rs->progress.cancel, true\);//
