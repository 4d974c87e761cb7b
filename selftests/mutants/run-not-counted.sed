# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/run.c
# takes out: a vCPU is not counted as running while the module serves its hcall
# test: hpte_lock -t reset_is_refused_during_hcall
/^int hvx_vcpu_run\(/,/^}/{
/atomic_inc\(/d
/atomic_dec\(/d
}
