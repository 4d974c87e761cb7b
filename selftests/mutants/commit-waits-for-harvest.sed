# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: COMMIT does not wait for the harvest of the table before
# test: hpte_lock -t commit_waits_for_no_harvest
/^static int hvx_commit_try\(/,/^}/s/if \(mutex_trylock\(&kvm->slots_lock\)\)/hvx_harvest_wait(\&rz->harvest);\n\t&/
