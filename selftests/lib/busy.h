/* SPDX-License-Identifier: GPL-2.0 */
/* Guests that change their HPT without rest, for tests that disturb them. */
#ifndef SELFTESTS_BUSY_H
#define SELFTESTS_BUSY_H

#include "vmm.h"

void busy_start(struct vm *vm, u64 seed);
void busy_stop(struct vm *vm);

#endif /* SELFTESTS_BUSY_H */
