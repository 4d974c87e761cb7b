/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is not there until it is let in: who touches it waits, as for a page
 * that a migration has still to bring (userfaultfd).
 */
#ifndef SELFTESTS_GAP_H
#define SELFTESTS_GAP_H

#include "types.h"

struct gap {
	int fd;
	void *mem;
};

bool gap_open(struct gap *gap, void *mem);
void gap_await(struct gap *gap);
void gap_let_in(struct gap *gap, const void *what, unsigned long len);

#endif /* SELFTESTS_GAP_H */
