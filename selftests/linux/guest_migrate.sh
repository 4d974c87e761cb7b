#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# guest_migrate: stock QEMU migrates a guest with a program at work, from one QEMU
# of this host to another and on, and its HPT is resized before, in the middle of it
# and right after. QEMU sends the table's size at the beginning and the table at the
# end, so one that changes in between does not arrive: kvm-hv-ext begins nothing
# and commits nothing while the guest's memory is sent, and the guest driver waits.

# shellcheck source=selftests/linux/guest.sh
. /selftests/linux/guest.sh

here=a
there=b
hpt=/sys/kernel/hpt
test_module=/sys/module/pseries_hpt_test/parameters

give_up()
{
	GUEST=a guest stop
	GUEST=b guest stop
	bail_out "$1"
}

# expect: another QEMU, for the guest to go to.
expect()
{
	GUEST=$there guest start -m 256M -I unix:/tmp/migration
}

# status: of the migration, as the QEMU says that sends the guest.
status()
{
	guest monitor info migrate | sed -n 's/^\(Migration s\|S\)tatus: //p' |
		tr -d '\r'
}

# await_status PATTERN: until it is one of these, or a minute has gone by.
await_status()
{
	local tries=300

	# shellcheck disable=SC2254 # a pattern
	until case $(status) in $1) true ;; *) false ;; esac; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 200000
	done
}

# depart: RAM is being sent, so slowly that it does not come to an end. KVM logs
# what the guest writes.
depart()
{
	guest monitor migrate_set_parameter max-bandwidth 1M &&
		guest monitor migrate_set_parameter downtime-limit 20000 &&
		guest monitor migrate -d unix:/tmp/migration &&
		await_status 'active*'
}

# arrive: as fast as can be. The guest goes on there; if not, it still is here.
arrive()
{
	local other

	guest monitor migrate_set_parameter max-bandwidth 10G
	if ! await_status completed; then
		echo "# migration: $(status)"
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
	guest exec -t 20 true || give_up "it does not answer there"
}

# ask ORDER: has the guest resize; returns at once.
ask()
{
	guest exec "rm -f /tmp/answer
		    (echo $1 >$hpt/order; echo \$? >/tmp/answer.new
		     mv /tmp/answer.new /tmp/answer) >/tmp/asked 2>&1 &"
}

# put_off: the hypervisor does not begin. False if the resize has ended instead.
put_off()
{
	guest exec -t 30 "until grep -q waiting $hpt/state; do
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

# prepared: the hypervisor has a table ready.
prepared()
{
	local tries=100

	until grep -q ready "/sys/kernel/debug/kvm/$(guest pid)-"*/hv-ext/state; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 50000
	done
}

# closed: how often COMMIT found nothing to commit, by the guest's log.
closed()
{
	guest exec "dmesg | grep -c 'error 2 from H_RESIZE_HPT_COMMIT'"
}

plan 15
# Real-mode H_REMOVE notes a page that was written to in a bitmap which is in vmalloc
# memory, and the host stops.
if grep -q POWER8 /proc/cpuinfo; then
	skip_rest "a migration" "KVM on a POWER8 stops the host with the dirty log on"
	ktap_finished
fi
GUEST=$here
export GUEST
guest start -m 256M || give_up "the guest does not start"
guest exec "insmod /guest/pseries-hpt.ko && insmod /guest/pseries-hpt-test.ko" ||
	give_up "no guest driver"
first=$(order)
big=$((first + 1))
churn_begin 24

resize $big
report $? "its HPT grows from order $first to $big"
expect && depart && arrive
report $? "it is migrated"
same "$(order)" $big && resize "$first"
report $? "order $big has come along, and it is resized right after"

expect && depart
report $? "it is being migrated again"
ask $big
put_off
report $? "a resize in the middle of it is put off"
same "$(order)" "$first" && case $(status) in active*) true ;; *) false ;; esac
report $? "and the HPT stays what it was"
arrive
report $? "it arrives"
answered $big
report $? "there the HPT grows to order $big"

expect
guest exec "echo 1 >$test_module/hold_commit"
before=$(closed)
ask "$first"
prepared && depart
report $? "a migration begins when a table is prepared"
put_off && same "$(closed)" $((before + 1))
report $? "COMMIT finds it gone, and the resize is put off"
arrive && answered "$first"
report $? "it arrives, and the HPT shrinks to order $first"

expect && depart && ask $big && put_off &&
	same "$(order)" "$first" && guest monitor migrate_cancel
report $? "a migration is cancelled, with a resize put off"
answered $big
report $? "so the HPT grows to order $big where it is"
GUEST=$there guest stop

churn_end
report $? "every byte as expected"
log_is_clean
report $? "nothing alarming in the guest's log"
GUEST=a guest stop
GUEST=b guest stop
ktap_finished
