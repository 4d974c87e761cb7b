/* SPDX-License-Identifier: GPL-2.0 */
/* Devices that are assigned by VFIO, as KVM is told of them. */
#ifndef SELFTESTS_VFIO_H
#define SELFTESTS_VFIO_H

#include "types.h"

int vfio_open_group(void);
int vfio_attr(int dev, u64 attr, int group);
void vfio_no_table(int dev, int group);

#endif /* SELFTESTS_VFIO_H */
