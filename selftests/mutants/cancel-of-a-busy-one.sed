# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/end.c
# takes out: cancel frees what the worker has in its hands
# test: resize_abi -t prepare_another_shift
# test: resize_abi -t cancel
# test: resize_reset -t anywhere
# spoils: memory
/^void hvx_resize_cancel_locked\(/,/^}/{
/if \(rs->busy\)/d
/^		return;$/{
x
s/^/x/
/^xx$/{
x
d
}
x
}
}
