# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/core/caps.c
# takes out: the look, at the module's load, whether its probes are come to
# test: module_refused -t probes_are_off
/^int hvx_caps_check/,/^}/s/got == want/true/
