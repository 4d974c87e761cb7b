# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# KTAP for the tests that are scripts, on the emulated host and in guests. To be
# sourced.
# shellcheck disable=SC2034 # variables for those scripts

# What a healthy kernel never logs. QEMU's NVRAM is empty; kernels deplore it.
ALARMING='WARNING: [^n]|BUG:|Oops|lockup|(^|[^n])stall|INFO: task|Bad page|Unable to handle|Hashing failure'

ktap_number=0
ktap_failed=0

# plan COUNT
plan()
{
	echo "TAP version 13"
	echo "1..$1"
}

# same SEEN EXPECTED
same()
{
	[ "$1" = "$2" ]
}

# report STATUS NAME: 0 is success.
report()
{
	ktap_number=$((ktap_number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $ktap_number $2"
	else
		echo "not ok $ktap_number $2"
		ktap_failed=1
	fi
}

# skip NAME REASON
skip()
{
	ktap_number=$((ktap_number + 1))
	echo "ok $ktap_number $1 # SKIP $2"
}
