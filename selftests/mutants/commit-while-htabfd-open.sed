# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: COMMIT does not look for an open HTAB descriptor
# test: resize_htabfd
# argued: opening one cancels what is pending, and until it is closed PREPARE begins none (that look is prepare-while-migrating); COMMIT looks for the dirty log's sake
/^struct hvx_resize \*hvx_resize_current\(/,/^}/s/if \(hvx_resize_migrating\(kvm\)\)/if (hvx_resize_migrating(kvm) \&\& !atomic_read(\&kvm->arch.hpte_mod_interest))/
