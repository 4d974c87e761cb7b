# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_walk.c
# takes out: R and C of a valid entry when the walk brings it over
# argued: they stay in the old table, and the harvest brings them before anybody is shown the entry
/^hvx_mirror_try_bring\(/,/^}/s/gr \|= r & HPT_R_RC;/;/
