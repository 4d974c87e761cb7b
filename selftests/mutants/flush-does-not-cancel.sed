# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: the flush of a memslot ends a resize
# argued: KVM prepares the change of the memslot under the same lock, and that ends it
/^static void hvx_flush_memslot\(/,/^}/{
/if \(vm\)/d
/hvx_resize_cancel\(/d
/struct hvx_vm \*vm/d
}
