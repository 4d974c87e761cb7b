# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: the barrier that has init_vm come last
# argued: an emulated CPU stores in order on the machines that it runs on
/^int hvx_ops_install\(/,/^}/s/smp_wmb\(\);//
