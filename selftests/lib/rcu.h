/* SPDX-License-Identifier: GPL-2.0 */
/* A bug of running kernels that CPU hotplug meets; for tests on hosts and in guests. */
#ifndef SELFTESTS_RCU_H
#define SELFTESTS_RCU_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/*
 * Since 6.7, and in newer 6.1.y too, a CPU that goes offline wakes RCU's kthread by
 * an IPI while it holds rcu_state.ofl_lock, and rcu_gp_init() waits for that lock with
 * interrupts off: now and then the two wait for each other for ever. Seen under stock
 * KVM too. Kernels that do so have a function of this name.
 */
static inline bool rcu_deadlocks(void)
{
	char line[256], name[128];
	bool found = false;
	FILE *symbols;

	symbols = fopen("/proc/kallsyms", "r");
	if (!symbols)
		return false;
	while (!found && fgets(line, sizeof(line), symbols))
		found = sscanf(line, "%*s %*c %127s", name) == 1 &&
			!strcmp(name, "swake_up_one_online");
	fclose(symbols);
	return found;
}

#endif /* SELFTESTS_RCU_H */
