# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/vm.c
# takes out: the reference that a VM has on the module
# test: module_lifecycle -t again_and_again
# spoils: the module's text
s/if \(!try_module_get\(THIS_MODULE\)\)/if (false)/
s/^([[:space:]]*)module_put\(THIS_MODULE\);/\1;/
