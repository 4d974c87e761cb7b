/* SPDX-License-Identifier: GPL-2.0 */
/* The log of the kernel that a test runs on. */
#ifndef SELFTESTS_KMSG_H
#define SELFTESTS_KMSG_H

int kmsg_open(void);
unsigned int kmsg_complaints(int fd);

#endif /* SELFTESTS_KMSG_H */
