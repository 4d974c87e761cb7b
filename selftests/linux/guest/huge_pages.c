// SPDX-License-Identifier: GPL-2.0
/*
 * huge_pages KILOBYTES COUNT: maps so many huge pages of that size, writes a
 * number of its own to every word and reads all of them back.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT	26
#endif

static uint64_t number(size_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ull;
}

int main(int argc, char **argv)
{
	size_t page, size, i;
	uint64_t *mem;
	int flags;

	if (argc != 3) {
		fprintf(stderr, "usage: huge_pages KILOBYTES COUNT\n");
		return 2;
	}
	page = strtoul(argv[1], NULL, 0) * 1024;
	size = page * strtoul(argv[2], NULL, 0);
	flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		__builtin_ctzl(page) << MAP_HUGE_SHIFT;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (mem == MAP_FAILED) {
		fprintf(stderr, "huge_pages: %s\n", strerror(errno));
		return 1;
	}
	for (i = 0; i < size / sizeof(*mem); i++)
		mem[i] = number(i);
	for (i = 0; i < size / sizeof(*mem); i++) {
		if (mem[i] == number(i))
			continue;
		fprintf(stderr, "huge_pages: word %zu is %#llx\n", i,
			(unsigned long long)mem[i]);
		return 1;
	}
	return 0;
}
