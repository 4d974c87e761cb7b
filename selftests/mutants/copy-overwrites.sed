# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/copy.c
# takes out: a copy does not look whether the slot is taken
# test: resize_shrink_collision -t bolted_with_bolted
# strategy: copy
/^static __always_inline int hvx_copy_put\(/,/^}/s/if \(new\[0\]\)/if (false)/
