# SPDX-License-Identifier: GPL-2.0
# file: kvm-hv/resize/end.c
# takes out: the tracepoint of what ends a resize
# test: shown -t tracepoints
s/^(\t+)trace_hvx_cancel\(.*\);/\1;/
