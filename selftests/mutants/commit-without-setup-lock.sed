# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: COMMIT does not take mmu_setup_lock
# test: resize_stall -t htab_write
/^static int hvx_commit_exchange\(/,/^}/{
s/if \(!mutex_trylock\(&kvm->arch.mmu_setup_lock\)\)/if (false)/
s/mutex_unlock\(&kvm->arch.mmu_setup_lock\);//
}
