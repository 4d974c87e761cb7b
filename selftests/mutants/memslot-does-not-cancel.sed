# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/ops.c
# takes out: a change of memslots ends no resize
# test: resize_memslot -t cancelled_at_once
/^static int hvx_prepare_memory_region\(/,/^}/s/hvx_resize_cancel\(vm, HVX_CANCEL_MEMSLOT\);//
/^static void hvx_flush_memslot\(/,/^}/{
/if \(vm\)/d
/hvx_resize_cancel\(/d
}
s/^(	struct hvx_vm \*vm) = hvx_vm_find\(kvm\);$/\1 __maybe_unused = hvx_vm_find(kvm);/
