# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/vfio.c
# takes out: a device that KVM refuses does not hold
# test: balloon -t vfio_refused
/^static long hvx_vfio_set_attr\(/,/^}/s/if \(add == !!ret\)/if (!add)/
