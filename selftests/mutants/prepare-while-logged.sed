# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/resize.c
# takes out: PREPARE does not look for a dirty log of RAM
# test: resize_htabfd -t ram_is_logged
/^static bool hvx_resize_migrating\(/,/^}/s/migrating = ram && .*;/migrating = !ram \&\& false;/
