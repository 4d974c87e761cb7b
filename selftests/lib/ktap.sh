# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# KTAP for the tests that are scripts, beside the emulated host, on it, and in guests. To
# be sourced. It stands on the kernel's own helpers for that, which are with the kselftest
# framework in the lab's cache; a guest has them in /guest.

for ktap_helpers in /guest /cache/linux-source/tools/testing/selftests/kselftest \
		    "${CACHE:-}/linux-source/tools/testing/selftests/kselftest"; do
	ktap_helpers=$ktap_helpers/ktap_helpers.sh
	[ ! -e "$ktap_helpers" ] || break
done
# shellcheck source=/dev/null
. "$ktap_helpers"

# plan COUNT
plan()
{
	ktap_print_header
	ktap_set_plan "$1"
}

# same SEEN EXPECTED
same()
{
	[ "$1" = "$2" ]
}

# report STATUS NAME: 0 is success.
report()
{
	if [ "$1" = 0 ]; then
		ktap_test_pass "$2"
	else
		ktap_test_fail "$2"
	fi
}

# skip NAME REASON: the first "#" of the line is to be that of "# SKIP", or who reads it takes
# the test for one that has passed.
skip()
{
	ktap_test_skip "$(echo "$1: $2" | tr '#' ' ')"
}

# skip_rest NAME REASON: all tests that are still to come.
skip_rest()
{
	while [ "$KTAP_TESTNO" -le "$KSFT_NUM_TESTS" ]; do
		skip "$1" "$2"
	done
}
