/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is not there until it is let in: who touches it waits, as for a page
 * that a migration has still to bring (userfaultfd).
 */
#ifndef SELFTESTS_GAP_H
#define SELFTESTS_GAP_H

#include "types.h"

struct vm;

struct gap {
	int fd;
	void *mem;
};

/* A dirty log that is read into a gap, by a thread. */
struct gap_log {
	struct vm *vm;
	struct gap gap;
	int ret;	/* of the ioctl */
};

bool gap_open(struct gap *gap, void *mem);
void gap_await(struct gap *gap);
void gap_let_in(struct gap *gap, const void *what, unsigned long len);
void *gap_read_log(void *arg);

#endif /* SELFTESTS_GAP_H */
