# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/mirror_slot.c
# takes out: slots of the new table that an old one no longer leads to
# test: hpte_lock -t removed_while_held
/^void hvx_mirror_sync\(/,/^}/s/if \(j == to \|\| READ_ONCE\(.*\)\)/if (j == to)/
