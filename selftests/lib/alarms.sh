# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# What a kernel's log should not have. To be sourced.

# alarms FILE: prints the lines of a log that a healthy kernel never logs, if any.
alarms()
{
	grep -v '^#' "${TOP:-}/selftests/lib/alarming" | grep -E -f - "$1"
}
