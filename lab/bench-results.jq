# SPDX-License-Identifier: GPL-2.0
#
# What the programs of selftests/bench print, one line each, becomes one object.
# Of the rounds of a measurement the shortest stays: nothing came in between.

# The lines of a kind as objects with these names for their fields.
def lines($kind; $names):
	map(select(.[0] == $kind)) |
	map([$names, .[1:]] | transpose |
	    map({(.[0]): (.[1] | tonumber? // .)}) | add);

def shortest($keys):
	group_by([.[$keys[]]]) | map(min_by(.ns) + {rounds: length});

def mean: add / length;

# What the seed's tables have.
def samples: sort as $s | ($s | mean) as $avg | ($s | length) as $n |
	{samples: $n, min: $s[0], max: $s[-1], avg: $avg,
	 median: (($s[($n - 1) / 2 | floor] + $s[$n / 2 | floor]) / 2),
	 stddev: ($s | map(. - $avg | . * .) | mean | sqrt)};

[inputs | select(test("^[a-z]+ ")) | split(" ")] |
{
	commit: lines("commit"; ["contender", "order", "to", "ns"]) |
		shortest(["contender", "order", "to"]),
	hcall_rate: lines("hcalls"; ["state", "order", "to", "pairs", "ns"]) |
		map(. + {pairs_per_s: (.pairs * 1e9 / .ns | round)}),
	refault: lines("refault"; ["contender", "order", "to", "ns",
		"after_ns", "faults", "exits", "warm_ns"]) |
		map(select(.to > .order)) |
		shortest(["contender", "order", "to"]),
	prepare: lines("prepare"; ["contender", "order", "to", "ns", "bytes"]) |
		shortest(["contender", "order", "to"]),
	# Not in counted time, on a machine that does other things too.
	parallel: lines("parallel"; ["cpus", "order", "to", "ns"]) |
		shortest(["cpus", "order", "to"]),
	wakeup: lines("wakeup"; ["source", "state", "ns"]) |
		group_by([.source, .state]) |
		map({source: .[0].source, state: .[0].state} + (map(.ns) | samples))
}
