/* SPDX-License-Identifier: GPL-2.0 */
/* Somewhere to swap to: in compressed memory, as there may be no disk. */
#ifndef SELFTESTS_SWAP_H
#define SELFTESTS_SWAP_H

#include "types.h"

const char *swap_begin(unsigned long bytes);
void swap_end(void);

#endif /* SELFTESTS_SWAP_H */
