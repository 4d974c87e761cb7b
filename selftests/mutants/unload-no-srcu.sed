# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: unloading does not wait for calls that sleep
# test: module_lifecycle -t call_of_older_vm
# spoils: the module's text
/^void hvx_ops_remove\(/,/^}/s/synchronize_srcu\(&hvx_calls\);//
