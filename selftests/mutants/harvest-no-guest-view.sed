# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/harvest.c
# takes out: change bits do not come to the guest's view
# test: resize_dirty -t guest_view_of_c
/^static int hvx_harvest_try_one\(/,/^}/s/&& rc && hv->guest_view\)/\&\& rc \&\& false)/
