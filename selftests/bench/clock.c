// SPDX-License-Identifier: GPL-2.0
/* Time, memory and modules, for programs that measure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "clock.h"
#include "hpt.h"

#define POLL_US		25
#define NSEC_PER_SEC	1000000000ull

static const struct contender contenders[] = {
	{ "stock", 0, false },
	{ "copy", KVM_PPC_HPT_RESIZE_COPY, false },
	{ "cold", KVM_PPC_HPT_RESIZE_MIRROR, true },
	{ "mirror", KVM_PPC_HPT_RESIZE_MIRROR, false },
};

/**
 * contender() - one of those that are compared
 * @name: stock, copy, cold or mirror
 *
 * Return: the contender.
 */
const struct contender *contender(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contenders); i++)
		if (!strcmp(name, contenders[i].name))
			return &contenders[i];
	die("%s: neither stock, copy, cold nor mirror", name);
}

/**
 * now_ns() - monotonic time
 *
 * Return: nanoseconds.
 */
u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* The frequency of the timebase, in the words of /proc/cpuinfo. */
static u64 timebase_hz(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];
	u64 hz = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "timebase", 8) && strchr(line, ':'))
			hz = strtoull(strchr(line, ':') + 1, NULL, 10);
	if (!hz)
		die("/proc/cpuinfo has no timebase");
	fclose(file);
	return hz;
}

/**
 * ticks_ns() - what a guest measured
 * @ticks: difference of two readings of the timebase
 *
 * Return: nanoseconds.
 */
u64 ticks_ns(u64 ticks)
{
	static u64 hz;

	hz = hz ?: timebase_hz();
	return ticks / hz * NSEC_PER_SEC + ticks % hz * NSEC_PER_SEC / hz;
}

/**
 * mem_now() - mem_use(), exactly
 * @use: the answer
 *
 * What has been freed may be with one of the CPUs, up to some MiB for each, and in no
 * count of what is free: an HPT that is made has them all give it back. And each keeps
 * some of its changes of the counts to itself until asked for them.
 *
 * An HPT of the least order is in the answer, each time.
 */
void mem_now(struct mem_use *use)
{
	struct vm *vm = vm_create(.order = HPT_MIN_ORDER);
	FILE *file = fopen("/proc/sys/vm/stat_refresh", "w");

	if (file) {
		fputs("1", file);
		fclose(file);
	}
	mem_use(use);
	vm_destroy(vm);
}

/**
 * vm_exits() - how often the guest was left so far
 * @vm: the VM
 *
 * Return: the sum over its vCPUs.
 */
u64 vm_exits(struct vm *vm)
{
	unsigned long n;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/sum_exits",
		 getpid(), vm->fd);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%lu", &n) != 1)
		die("%s cannot be read", path);
	fclose(file);
	return n;
}

/**
 * module_want() - insert or remove kvm-hv-ext, as the next measurement needs
 * @loaded: which
 *
 * Stock KVM is KVM without the module, not with one that is idle.
 */
void module_want(bool loaded)
{
	int ret;

	if (loaded == module_loaded())
		return;
	if (loaded)
		ret = module_insert(module_path() ?: "kvm-hv-ext.ko",
				    "commit_timeout_ms=0 prepare_interval_ms=0 guest_stop_native=yes");
	else
		ret = module_remove();
	if (ret)
		die("kvm-hv-ext would not be %s: %s",
		    loaded ? "inserted" : "removed", strerror(-ret));
}

/**
 * prepare() - PREPARE until it is ready
 * @vm: the VM, its vCPUs idle
 * @to: order wanted
 *
 * Return: how long it took, in nanoseconds.
 */
u64 prepare(struct vm *vm, unsigned int to)
{
	struct kvm_ppc_resize_hpt arg = { .shift = to };
	u64 start = now_ns();
	int ret;

	while ((ret = vm_ioctl(vm, KVM_PPC_RESIZE_HPT_PREPARE, &arg)) > 0)
		pause_us(POLL_US);
	if (ret)
		die("PREPARE of order %u: %s", to, strerror(-ret));
	return now_ns() - start;
}
