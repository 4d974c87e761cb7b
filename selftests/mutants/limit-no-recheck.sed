# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/limit.c
# takes out: memory is not looked at again after a change of mode
# test: hpt_limit
# test: hpt_backing
/^static void hvx_limit_unsettle\(/,/^}/s/atomic_inc\(.*\);//
