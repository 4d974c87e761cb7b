/* SPDX-License-Identifier: GPL-2.0 */
/* What something costs, counted and not timed. */
#ifndef SELFTESTS_WORK_H
#define SELFTESTS_WORK_H

#include "types.h"

bool work_counted(void);
u64 work_of(void (*fn)(void *arg), void *arg, unsigned int times);

#endif /* SELFTESTS_WORK_H */
