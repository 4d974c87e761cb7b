# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/caps.c
# takes out: whether what is called /dev/kvm is KVM's
# test: module_refused -t no_dev_kvm
s/iminor\(inode\) == KVM_MINOR && //
