# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop.c
# takes out: guest stop can be changed when a vCPU has run
# test: guest_stop -t same_again
# test: guest_stop -t choice
/^long hvx_stop_enable\(/,/^}/s/if \(old & HVX_STOP_SEALED\)/if (false)/
