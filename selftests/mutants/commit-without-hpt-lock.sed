# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/commit.c
# takes out: COMMIT does not take the hpt_lock
# test: resize_reset -t no_prepare_meanwhile
/^static int hvx_commit_try\(/,/^}/{
s/if \(!mutex_trylock\(&rz->hpt_lock\)\)/if (false)/
s/mutex_unlock\(&rz->hpt_lock\);//
}
