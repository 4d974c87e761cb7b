# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: whether another old slot is in use, before the new one is cleared
# test: resize_shrink_collision -t winner_removed_after_prepare
# test: resize_race
/^static bool hvx_mirror_try_clear\(/,/^}/{
/if \(hvx_mirror_has_losers\(/,/goto not;/d
s/if \(hpte_in_use\(hvx_read_be64\(hvx_hptep\(old, i\)\)\)\)/if (false)/
}
