# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/hptes.h
# takes out: R and C of a valid entry when it is read (copy: nobody else brings them)
# test: resize_dirty -t guest_view_of_c
# strategy: copy
/^static inline void hvx_entry_locked\(/,/^}/s/e->gr \|= r & HPT_R_RC;/;/
