# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/balloon.c
# takes out: the reference that a descriptor has on the VM
# test: balloon -t holder_outlives_vm
# spoils: memory
s/get_file\(vm_file\);//
s/fput\(vm_file\);//
