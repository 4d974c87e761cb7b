# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: whether there is KVM HV
# test: module_refused -t no_kvm_hv
# spoils: it is looked for at address 0
/^int hvx_ops_install/,/^}/s/!kvmppc_hv_ops \|\| //
