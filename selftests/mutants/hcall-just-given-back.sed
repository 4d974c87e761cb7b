# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: an hcall that left the guest before it was given back is still served
# test: resize_race -t given_up
# host: power9:7.3-4k
/^static __always_inline bool hvx_hcall_is_ours\(/,/^}/{
s/return !kvm_is_radix\(ic->kvm\) &&/return false \&\& !kvm_is_radix(ic->kvm) \&\&/
}
