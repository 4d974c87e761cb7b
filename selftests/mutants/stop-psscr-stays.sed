# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/stop/stop_cpu.c
# takes out: the host gets its PSSCR back
# test: guest_stop -t neighbour_left_alone
# host: power10:6.12
/^void hvx_stop_put\(/,/^}/s/hvx_psscr_set\(here->control\);//
