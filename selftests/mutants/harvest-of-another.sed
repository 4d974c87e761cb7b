# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: whether the new entry is still the same page
# test: resize_seams -t bits_of_a_loser
/^static int hvx_harvest_guest_view\(/,/^}/s/if \(hpte_same_page\(.*\) &&$/if (true \&\&/
