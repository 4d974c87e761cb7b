# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: PREPARE does not look for an open HTAB descriptor
# test: resize_htabfd -t kept_open
/^static bool hvx_resize_migrating\(/,/^}/s/if \(atomic_read\(&kvm->arch.hpte_mod_interest\)\)/if (false)/
