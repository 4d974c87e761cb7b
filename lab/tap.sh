# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Accounts of tests that speak KTAP. To be sourced after lib.sh. A folder of
# results has for each program NAME.tap (what it printed) and, in the file
# "totals", one line "PASSED FAILED SKIPPED NAME".

need prove perl

# tap_count FILE STATUS: "PASSED FAILED SKIPPED" of a program that printed FILE
# and ended with STATUS (4 is kselftest's for "skipped"). It is read as prove reads it, by
# TAP::Parser. What is wrong with the output itself counts as a failed test and is told
# on standard error: no plan, fewer or more results than planned, an error exit that no
# result explains.
tap_count()
{
	# What somebody else has printed before the first line is none of it.
	sed -n '/^TAP version\|^1\.\.[0-9]\|^ok\|^not ok\|^Bail out/,$p' "$1" |
	perl -MTAP::Parser -e '
		my $status = shift;
		my ($passed, $failed, $skipped, $bailed) = (0, 0, 0);
		my $tap = TAP::Parser->new({ tap => join("", <STDIN>) || "\n" });
		my @wrong;
		while (my $line = $tap->next) {
			if ($line->is_bailout) {
				$bailed = 1;
				push @wrong, $line->as_string;
			} elsif ($line->is_test) {
				$line->has_skip ? $skipped++ :
				$line->is_actual_ok ? $passed++ : $failed++;
			}
		}
		$skipped++ if defined $tap->skip_all && !$tap->tests_run;
		push @wrong, $tap->parse_errors unless $bailed;
		push @wrong, "it ended with status $status"
			unless $status =~ /^[04]$/ || $failed || @wrong;
		push @wrong, "it tested nothing"
			unless $passed || $failed || $skipped || @wrong;
		print STDERR "# $_\n" for @wrong;
		print "$passed ", $failed + @wrong, " $skipped\n";
	' "$2"
}

# tap_failures DIR NAME: what failed in DIR/NAME.tap, each with what was printed before it.
tap_failures()
{
	grep -E '^(not ok|Bail out)' -B 40 "$1/$2.tap" | tail -n 80 | sed 's/^/    /' || true
	sed 's/^/    /' "$1/$2.wrong"
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
		tap_failures "$1" "$2" >&2
		say "the whole output: $1/$2.tap"
	else
		rm -f "$1/$2.wrong"
	fi
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
