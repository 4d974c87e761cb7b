# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/base/intercept.c
# takes out: all but the first entry that H_BULK_REMOVE names
# test: resize_race
/^static noinline long hvx_serve_several\(/,/^}/s/for \(i = 0; i < nr; i\+\+\)/for (i = 0; i < min(nr, 1U); i++)/
