// SPDX-License-Identifier: GPL-2.0
/* A CPU of the host that goes and comes back all the time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "hotplug.h"
#include "rcu.h"

#define CPU1_ONLINE	"/sys/devices/system/cpu/cpu1/online"

/**
 * hotplug_lacks() - what is missing for a CPU to go
 *
 * Who runs the risk of rcu_deadlocks() sets KVM_HV_EXT_HOTPLUG=1 in the environment.
 *
 * Return: NULL if it can.
 */
const char *hotplug_lacks(void)
{
	if (access(CPU1_ONLINE, W_OK))
		return "this host has one CPU, or none that can go";
	if (rcu_deadlocks() && !getenv("KVM_HV_EXT_HOTPLUG"))
		return "RCU of this kernel can deadlock as a CPU goes";
	return NULL;
}

static void set_online(bool online)
{
	int fd = open(CPU1_ONLINE, O_WRONLY);

	/* Others may hold it up for a moment. */
	while (write(fd, online ? "1" : "0", 1) != 1)
		if (errno != EBUSY)
			die("%s: %s", CPU1_ONLINE, strerror(errno));
	close(fd);
}

static void *go_and_come(void *arg)
{
	struct hotplug *me = arg;

	while (!__atomic_load_n(&me->over, __ATOMIC_RELAXED)) {
		set_online(false);
		set_online(true);
		__atomic_add_fetch(&me->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/**
 * hotplug_start() - have CPU 1 go and come back until hotplug_stop()
 * @hotplug: what is to be kept about it
 */
void hotplug_start(struct hotplug *hotplug)
{
	int ret;

	*hotplug = (struct hotplug){ 0 };
	ret = pthread_create(&hotplug->thread, NULL, go_and_come, hotplug);
	if (ret)
		die("thread for CPU hotplug: %s", strerror(ret));
}

/**
 * hotplug_stop() - have it stay
 * @hotplug: of hotplug_start()
 *
 * Return: how often it has gone and come back.
 */
unsigned int hotplug_stop(struct hotplug *hotplug)
{
	__atomic_store_n(&hotplug->over, true, __ATOMIC_RELAXED);
	pthread_join(hotplug->thread, NULL);
	fprintf(stderr, "# CPU 1 has gone and come back %u times\n",
		hotplug->rounds);
	return hotplug->rounds;
}
