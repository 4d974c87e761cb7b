# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# How the tests on the emulated host give guests memory in pages that can hold those of
# 16 MiB. To be sourced. What a guest is started with is in $backed.

pages=/sys/kernel/mm/hugepages
mount=/tmp/huge
# shellcheck disable=SC2034 # for who sources this
backed="-mem-path $mount -mem-prealloc"

# reserve MIB: memory in the smallest pages of at least 16 MiB of which there is so much,
# mounted. Their size in KiB is in $size. False if there are none; release gives it back.
reserve()
{
	for size in 16384 1048576; do
		reserve_pages "$size" $(($1 * 1024 / size)) && break
	done || return 1
	mkdir -p $mount
	mount -t hugetlbfs -o "pagesize=${size}K" none $mount
}

# reserve_pages KIB COUNT
reserve_pages()
{
	local dir=$pages/hugepages-$1kB

	[ -d "$dir" ] || return 1
	had=$(cat "$dir/nr_hugepages")
	[ "$had" -ge "$2" ] || echo "$2" >"$dir/nr_hugepages"
	[ "$(cat "$dir/free_hugepages")" -lt "$2" ] || return 0
	echo "$had" >"$dir/nr_hugepages"
	return 1
}

release()
{
	umount $mount
	echo "$had" >"$pages/hugepages-${size}kB/nr_hugepages"
}

# sees_16m: whether the guest knows of 16 MiB pages at all.
sees_16m()
{
	guest exec '[ -d /sys/kernel/mm/hugepages/hugepages-16384kB ]'
}

# uses_16m: its kernel has memory of its own mapped in them (there is the list
# of all pages in them), and its programs get theirs.
uses_16m()
{
	guest exec 'dmesg | grep "vmemmap = 24" && cd /sys/kernel/mm/hugepages &&
		    echo 4 >hugepages-16384kB/nr_hugepages &&
		    huge_pages 16384 4'
}
