# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: a stock handler is called though an HPTE's lock is held
# test: hpte_lock -t hcall
# spoils: a thread may spin for ever
/^static __always_inline long hvx_serve\(/,/^}/s/if \(hvx_touched_free\(vcpu, index, nr, hcall\)\)/if (true)/
