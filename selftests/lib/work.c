// SPDX-License-Identifier: GPL-2.0
/* What something costs, counted and not timed. */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"
#include "work.h"

/* A count of this thread's instructions, in the kernel too, or -1. */
static int work_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/**
 * work_counted() - whether this host has a counter of instructions
 *
 * Return: false if work_of() cannot be used.
 */
bool work_counted(void)
{
	int fd = work_open();

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static u64 work_now(int fd)
{
	u64 count;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		die("instructions are not counted: %s", strerror(errno));
	return count;
}

/**
 * work_of() - what a function costs
 * @fn: the function
 * @arg: its argument
 * @times: how often it is tried
 *
 * Interrupts count too, so the least of several attempts is taken.
 *
 * Return: the number of this thread's instructions, the kernel's for it included.
 */
u64 work_of(void (*fn)(void *arg), void *arg, unsigned int times)
{
	u64 best = ~0ull, begin, took;
	int fd = work_open();

	if (fd < 0)
		die("no counter of instructions: %s", strerror(errno));
	while (times--) {
		begin = work_now(fd);
		fn(arg);
		took = work_now(fd) - begin;
		if (took < best)
			best = took;
	}
	close(fd);
	return best;
}
