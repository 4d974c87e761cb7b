/* SPDX-License-Identifier: GPL-2.0 */
/* A CPU of the host that goes and comes back all the time. */
#ifndef SELFTESTS_HOTPLUG_H
#define SELFTESTS_HOTPLUG_H

#include <pthread.h>
#include <stdbool.h>

struct hotplug {
	pthread_t thread;
	unsigned int rounds;	/* gone and come back so often */
	bool over;
};

const char *hotplug_lacks(void);
void hotplug_start(struct hotplug *hotplug);
unsigned int hotplug_stop(struct hotplug *hotplug);

#endif /* SELFTESTS_HOTPLUG_H */
