# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/node.c
# takes out: that a profile's name is one
# test: module_refused -t nonsense
/^static int hvx_profile_parse/,/^}/s/return -EINVAL;/;/
