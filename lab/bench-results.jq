# SPDX-License-Identifier: GPL-2.0
#
# What the programs of selftests/bench print, one line each, becomes one object:
# the median of all rounds of each measurement.

def median: sort | .[(length - 1) / 2 | floor];

# The lines of a kind as objects with these names for their fields.
def lines($kind; $names):
	map(select(.[0] == $kind)) |
	map([$names, .[1:]] | transpose |
	    map({(.[0]): (.[1] | tonumber? // .)}) | add);

# One line for each set of keys, the median of each other field.
def rounds($keys):
	group_by([.[$keys[]]]) |
	map(. as $rounds |
	    $rounds[0] | with_entries(.key as $key |
		if $keys | index($key) then .
		else .value = ($rounds | map(.[$key]) | median) end) |
	    .rounds = ($rounds | length));

[inputs | select(test("^[a-z]+ ")) | split(" ")] |
{
	commit: lines("commit"; ["contender", "order", "to", "ns"]) |
		rounds(["contender", "order", "to"]),
	hcall_rate: lines("hcalls"; ["state", "order", "to", "pairs", "ns"]) |
		map(. + {pairs_per_s: (.pairs * 1e9 / .ns | round)}),
	refault: lines("refault"; ["contender", "order", "to", "ns",
		"after_ns", "faults", "exits", "warm_ns"]) |
		map(select(.to > .order)) |
		rounds(["contender", "order", "to"]),
	prepare: lines("prepare"; ["contender", "order", "to", "ns", "bytes"]) |
		rounds(["contender", "order", "to"]),
	# Not in counted time, on a machine that does other things too: the best.
	parallel: lines("parallel"; ["cpus", "order", "to", "ns"]) |
		group_by([.cpus, .order, .to]) | map(min_by(.ns))
}
