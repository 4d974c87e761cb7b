# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: COMMIT does not take slots_lock
# test: resize_seams -t committed_while_a_slot_comes
/^static int hvx_commit_try\(/,/^}/{
s/if \(mutex_trylock\(&kvm->slots_lock\)\) \{/if (kvm) {/
s/mutex_unlock\(&kvm->slots_lock\);//
}
