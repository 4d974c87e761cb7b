# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/limit.c
# takes out: a limit can be changed when the guest has run
# test: hpt_limit -t set_again
# test: hpt_limit -t arguments
/^int hvx_limit_set\(/,/^}/s/ret = -EBUSY;/ret = 0;/
