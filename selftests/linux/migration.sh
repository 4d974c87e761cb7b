# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# How the tests on the emulated host move a Linux guest from one QEMU to another. To be
# sourced, after guest.sh. $options are those of "guest start", of both; $here is the
# guest's name where it is, $there where it may go. $GUEST is $here, and exported.

here=a
there=b
GUEST=$here
export GUEST
options=
hpt=/sys/kernel/hpt

stop_both()
{
	GUEST=a guest stop
	GUEST=b guest stop
}

# expect [OPTION...]: another QEMU, for the guest to go to, with $options or with these.
expect()
{
	# shellcheck disable=SC2086 # a list
	[ $# -gt 0 ] || set -- $options
	GUEST=$there guest start "$@" -I unix:/tmp/migration
}

# turned_away PATTERN OPTION...: no QEMU is there for the guest to go to, which says why.
turned_away()
{
	local pattern=$1

	shift
	! expect "$@" >/tmp/refused 2>&1 && grep -- "$pattern" /tmp/refused && return
	sed 's/^/# /' /tmp/refused
	GUEST=$there guest stop
	return 1
}

# both SETTING...: of the monitor, here and there.
both()
{
	GUEST=$here guest monitor "$@" && GUEST=$there guest monitor "$@"
}

# status: of the migration, as the QEMU says that sends the guest.
status()
{
	guest monitor info migrate | sed -n 's/^\(Migration s\|S\)tatus: //p' |
		tr -d '\r'
}

# await_status STATUS...: until it is one of these, or a minute has gone by; a failed one is
# nothing to wait for. What it is, is in $now.
await_status()
{
	local tries=300 wanted

	while [ $tries -gt 0 ]; do
		tries=$((tries - 1))
		now=$(status)
		for wanted; do
			[ "$now" != "$wanted" ] || return 0
		done
		[ "${now%% *}" != failed ] || return 1
		usleep 200000
	done
	return 1
}

# depart: RAM is being sent, so slowly that it does not come to an end. KVM logs
# what the guest writes.
depart()
{
	guest monitor migrate_set_parameter max-bandwidth 1M &&
		guest monitor migrate_set_parameter downtime-limit 20000 &&
		guest monitor migrate -d unix:/tmp/migration &&
		await_status active
}

# post_copy: after depart; the guest runs there from now on, and the rest comes after. QEMU
# looks whether it is to begin with that when it has sent a huge page, or what there is of
# small ones, and not at all if what is left would not take longer than it may pause.
post_copy()
{
	guest monitor migrate_set_parameter downtime-limit 1 &&
		guest monitor migrate_set_parameter max-postcopy-bandwidth 1M &&
		guest monitor migrate_start_postcopy &&
		guest monitor migrate_set_parameter max-bandwidth 64M &&
		await_status postcopy-active
}

# arrive_silent: as fast as can be. The guest goes on there; if not, it still is here.
arrive_silent()
{
	local other

	guest monitor migrate_set_parameter max-bandwidth 10G
	guest monitor migrate_set_parameter max-postcopy-bandwidth 0
	if ! await_status completed; then
		echo "# migration: $now"
		GUEST=$there guest monitor info status | sed 's/^/# destination: /'
		sed 's/^/# destination: /' "/tmp/guest/$there/qemu.log"
		GUEST=$there guest stop
		return 1
	fi
	guest stop
	other=$here
	here=$there
	there=$other
	GUEST=$here
}

# examine: what a guest does that does not answer.
examine()
{
	local task

	guest monitor info status | sed 's/^/# /'
	for _ in 1 2 3; do
		guest monitor info registers | grep -E '^(NIP|MSR| SRR0)' | sed 's/^/# /'
		usleep 300000
	done
	for task in "/proc/$(guest pid)/task"/*; do
		echo "# $(cat "$task/comm"): $(sed 's/^[^ ]* //; s/+.*//' "$task/stack" | head -n 5 | xargs)"
	done
	cat "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/state | sed 's/^/# /'
	guest console | tail -n 10 | sed 's/^/# /'
}

# arrive: likewise, and it answers.
arrive()
{
	arrive_silent || return 1
	guest exec -t 20 true && return
	examine
	bail_out "it does not answer there"
}

# ended: the QEMU that did not take the guest has said why, and is no more.
ended()
{
	! kill -0 "$(GUEST=$there guest pid)" 2>/dev/null
}

# depart_refused PATTERN: the other QEMU will not have it, and says why; it stays. The
# devices and capabilities are sent in the end, and without a path back QEMU would not wait
# to hear.
depart_refused()
{
	both migrate_set_capability return-path on
	guest monitor migrate_set_parameter max-bandwidth 10G
	guest monitor migrate_set_parameter downtime-limit 20000
	guest monitor migrate -d unix:/tmp/migration
	! await_status completed && within 30 ended && guest exec -t 20 true &&
		grep -- "$1" "/tmp/guest/$there/qemu.log" && return
	echo "# migration: $now"
	sed 's/^/# destination: /' "/tmp/guest/$there/qemu.log"
	GUEST=$there guest stop
	return 1
}

# ask ORDER: has the guest resize. Nobody waits for the command to end: a COMMIT that is held
# up keeps the guest's one CPU for itself. put_off does, before it gives the guest another.
ask()
{
	guest exec "rm -f /tmp/answer
		    (echo $1 >$hpt/order; echo \$? >/tmp/answer.new
		     mv /tmp/answer.new /tmp/answer) >/tmp/asked 2>&1 &" &
	asking=$!
}

# put_off: the hypervisor does not begin. False if the resize has ended instead.
put_off()
{
	wait "$asking" && guest exec -t 30 "until grep -q waiting $hpt/state; do
			[ ! -e /tmp/answer ] || exit 1
			usleep 20000
		done"
}

# answered ORDER: the resize is done within ten seconds.
answered()
{
	guest exec -t 30 "tries=100
		until [ -e /tmp/answer ]; do
			tries=\$((tries - 1))
			[ \$tries -gt 0 ] || { cat $hpt/state; exit 1; }
			usleep 100000
		done
		sed 's/^/# /' /tmp/asked
		[ \$(cat /tmp/answer) = 0 ]" && same "$(order)" "$1"
}
