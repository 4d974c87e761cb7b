# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/balloon.c
# takes out: a descriptor that is closed goes on to hold
# test: balloon -t nested
# test: balloon -t killed_holder
/^static int hvx_holder_release\(/,/^}/s/hvx_balloon_put\(.*\);//
