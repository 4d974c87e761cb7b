# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/node.c
# takes out: an open node holds its profile
# test: nodes
# spoils: memory
/^static int hvx_node_open\(/,/^}/s/kref_get\(&profile->ref\);//
/^static int hvx_node_release\(/,/^}/s/kref_put\(&profile->ref, hvx_profile_release\);//
