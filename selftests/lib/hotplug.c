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

#define CPU1_ONLINE	"/sys/devices/system/cpu/cpu1/online"

static bool kernel_has(const char *symbol)
{
	char line[256], name[128];
	bool found = false;
	FILE *symbols;

	symbols = fopen("/proc/kallsyms", "r");
	if (!symbols)
		return false;
	while (!found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*c %127s", name) == 1 &&
			!strcmp(name, symbol);
	fclose(symbols);
	return found;
}

/**
 * hotplug_lacks() - what is missing for a CPU to go
 *
 * Since 6.7, and in newer 6.1.y too, a CPU that goes offline wakes RCU's kthread by
 * an IPI while it holds rcu_state.ofl_lock, and rcu_gp_init() waits for that lock with
 * interrupts off: now and then the two wait for each other for ever. Who runs that
 * risk sets KVM_HV_EXT_HOTPLUG=1 in the environment.
 *
 * Return: NULL if it can.
 */
const char *hotplug_lacks(void)
{
	if (access(CPU1_ONLINE, W_OK))
		return "this host has one CPU, or none that can go";
	if (kernel_has("swake_up_one_online") && !getenv("KVM_HV_EXT_HOTPLUG"))
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
