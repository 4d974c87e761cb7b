# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Accounts of tests that speak KTAP. To be sourced after lib.sh. A folder of
# results has for each program NAME.tap (what it printed) and, in the file
# "totals", one line "PASSED FAILED SKIPPED NAME".

# tap_count FILE STATUS: "PASSED FAILED SKIPPED" of a program that printed FILE
# and ended with STATUS. What is wrong with the output itself counts as a failed
# test and is told on standard error: no plan, fewer or more results than
# planned, an error exit that no result explains.
tap_count()
{
	awk -v status="$2" '
	function wrong(text) {
		failed++
		print "# " text >"/dev/stderr"
	}
	/^1\.\.[0-9]+/ {
		plan = substr($1, 4) + 0
		planned = 1
		if (plan == 0 && tolower($0) ~ /# *skip/)
			skipped_all = 1
	}
	/^ok([ \t]|$)/ {
		seen++
		if (tolower($0) ~ /# *skip/)
			skipped++
		else
			passed++
	}
	/^not ok([ \t]|$)/ {
		seen++
		failed++
	}
	/^Bail out!/ {
		bailed = 1
		wrong($0)
	}
	END {
		if (skipped_all && seen == 0)
			skipped++
		else if (!planned && !bailed)
			wrong("it printed no plan")
		else if (plan != seen && !bailed)
			wrong("planned " plan " tests, saw " seen + 0)
		if (status != 0 && status != 4 && failed == 0)
			wrong("it ended with status " status)
		if (seen == 0 && !failed && !skipped)
			wrong("it tested nothing")
		print passed + 0, failed + 0, skipped + 0
	}' "$1"
}

# tap_record DIR NAME STATUS: accounts DIR/NAME.tap and tells the user.
tap_record()
{
	local counts passed failed skipped

	counts=$(tap_count "$1/$2.tap" "$3" 2>"$1/$2.wrong")
	echo "$counts $2" >>"$1/totals"
	read -r passed failed skipped <<<"$counts"
	say "$(basename "$1"): $2: $passed passed, $failed failed, $skipped skipped"
	if [ "$failed" != 0 ]; then
		grep -E '^(not ok|Bail out)' -B 8 "$1/$2.tap" | tail -n 60 |
			sed 's/^/    /' >&2 || true
		sed 's/^/    /' "$1/$2.wrong" >&2
		say "the whole output: $1/$2.tap"
	fi
	rm -f "$1/$2.wrong"
}

# tap_step DIR NAME COMMAND...: a command as a test of its own.
tap_step()
{
	# The command sees our local variables, so their names are our own.
	local tap_dir=$1 tap_name=$2 tap_status=0

	shift 2
	"$@" >"$tap_dir/$tap_name.log" 2>&1 || tap_status=$?
	{
		echo "1..1"
		if [ "$tap_status" = 0 ]; then
			echo "ok 1 $tap_name"
		else
			tail -n 30 "$tap_dir/$tap_name.log" | sed 's/^/# /'
			echo "not ok 1 $tap_name"
		fi
	} >"$tap_dir/$tap_name.tap"
	tap_record "$tap_dir" "$tap_name" "$tap_status"
}

# tap_total DIR...: the sums of these folders, "PASSED FAILED SKIPPED".
tap_total()
{
	local dir

	for dir; do
		cat "$dir/totals" 2>/dev/null || true
	done | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }'
}
