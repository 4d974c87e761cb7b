# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/limit.c
# takes out: KVM_PPC_CHECK_MEMORY takes addresses of the kernel
# test: hpt_backing -t asked_beforehand
/^int hvx_limit_ask_ioctl\(/,/^}/{
/!access_ok\(/d
}
