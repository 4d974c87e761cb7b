# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: the count of resizes that were done
# test: shown -t counters
s/rz->stats\.commits\+\+;/;/
