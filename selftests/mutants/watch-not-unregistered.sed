# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/memory/watch.c
# takes out: the end of the watch with the VM
# test: balloon
# spoils: memory
/^void hvx_watch_end\(/,/^}/{
/if \(w->begun\)/d
/mmu_notifier_unregister\(/d
}
