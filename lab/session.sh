# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Talking to a running emulated host. To be sourced after lib.sh. A host NAME has
# the folder build/run/NAME: pid of its QEMU, console.log, the two pipes lab.in and
# lab.out that end in the host's init, and monitor.in and monitor.out, its QEMU's.

# session_dir NAME
session_dir()
{
	echo "$BUILD/run/$1"
}

# session_alive NAME: is its QEMU running? What has its pid by now may be another process,
# but that has not the pipes' names in its command line.
session_alive()
{
	local dir pid

	dir=$(session_dir "$1")
	pid=$(cat "$dir/pid" 2>/dev/null) &&
		[ -n "$pid" ] && grep -qsF "path=$dir/lab" "/proc/$pid/cmdline"
}

# session_tail NAME: the end of its console, for whoever must find out why.
session_tail()
{
	say "the last lines of the console of host '$1':"
	tail -n "${2:-25}" "$(session_dir "$1")/console.log" |
		tr -d '\r' | sed 's/^/    /' >&2
}

# read_line NAME [WHEN]: the next line from the host in $line; fails when QEMU has
# ended, or none has come before $SECONDS is WHEN. A line may come in pieces, between
# which we look whether QEMU still runs.
read_line()
{
	local part

	line=
	while [ "$SECONDS" -lt "${2:-$((SECONDS + 1))}" ]; do
		if IFS= read -r -t 2 -u 4 part; then
			line+=$part
			line=${line%$'\r'}
			return 0
		fi
		line+=$part
		session_alive "$1" || return 1
	done
	return 1
}

# session_open NAME: pipes to the host on descriptors 4 (from it) and 5 (to it).
session_open()
{
	local dir

	dir=$(session_dir "$1")
	exec 4<>"$dir/lab.out" 5<>"$dir/lab.in"
}

# session_exec NAME SECONDS SCRIPT: runs the script (a file of this machine) on
# the host, prints its output, returns its exit status; 137 when SECONDS were
# over, 255 when the host died.
session_exec()
{
	local name=$1 seconds=$2 dir mark status

	dir=$(session_dir "$name")
	mark=lab-$$-$RANDOM
	cp "$3" "$dir/$mark.sh"
	echo "$mark $seconds run/$name/$mark.sh" >&5
	# What an interrupted predecessor left in the pipe is not ours.
	while read_line "$name"; do
		[ "$line" != "$mark begin" ] || break
	done
	status=255
	while read_line "$name"; do
		case $line in
		*"$mark end "*)
			status=${line##* }
			# A last line without newline is in front of the mark.
			printf '%s' "${line%%"$mark"*}"
			break
			;;
		esac
		printf '%s\n' "$line"
	done
	rm -f "$dir/$mark.sh"
	if [ "$status" = 255 ] && ! session_alive "$name"; then
		say "host '$name' has ended"
		session_tail "$name"
	fi
	return "$status"
}

# session_monitor NAME COMMAND: what QEMU's monitor answers; fails if it does not.
session_monitor()
{
	local dir answer

	dir=$(session_dir "$1")
	# It has to be asked to take commands, once; again is an error that is none.
	{
		echo '{"execute":"qmp_capabilities"}'
		printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"},"id":"%s"}\n' \
			"$2" "$$-$RANDOM"
	} 1<>"$dir/monitor.in"
	while IFS= read -r -t 10 answer; do
		case $answer in
		*'"id": "'"$$-"*) break ;;
		esac
	done <>"$dir/monitor.out" || return 1
	answer=${answer%\", \"id\"*}
	printf '%b' "${answer#*\"return\": \"}"
	[ "$answer" = "${answer#*\"error\"}" ]
}

# session_stop NAME: ends its QEMU.
session_stop()
{
	local dir pid

	dir=$(session_dir "$1")
	session_alive "$1" || return 0
	pid=$(cat "$dir/pid")
	kill "$pid" 2>/dev/null || true
	# It is a process of ours or of another shell: both can be waited for so.
	timeout 10 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" || true
	rm -f "$dir/pid"
}
