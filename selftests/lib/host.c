// SPDX-License-Identifier: GPL-2.0
/* The host around the VMs: its log, its memory, its modules, our knobs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

/**
 * die() - end the test: what it stands on does not hold
 * @fmt: why, as for printf
 */
void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("# ", stderr);
	vfprintf(stderr, fmt, ap);
	fputs("\n", stderr);
	va_end(ap);
	_exit(1);
}

/**
 * scaled() - how often to do something
 * @count: in a run that should be short
 *
 * KVM_HV_EXT_LONG=10 makes every test ten times as thorough, 0.1 hastier.
 *
 * Return: @count times that, at least 1.
 */
unsigned long scaled(unsigned long count)
{
	const char *factor = getenv("KVM_HV_EXT_LONG");
	double n = count;

	if (factor && *factor)
		n *= atof(factor);
	return n < 1 ? 1 : n;
}

/**
 * host_slower() - how many times as long as usual anything may take
 *
 * A kernel that is named so is one that watches all that it does, and keeps for a while
 * what it has freed. lab/lib.sh has the same.
 *
 * Return: 1 on other kernels.
 */
unsigned int host_slower(void)
{
	static unsigned int times;
	struct utsname uts;

	if (!times) {
		uname(&uts);
		times = strstr(uts.release, "debug") || strstr(uts.release, "kcsan") ? 5 : 1;
	}
	return times;
}

unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

/* The Makefile has all of a test's alarms end here: they are kselftest's limits. */
unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(seconds * host_slower());
}

/**
 * test_seed() - the seed of a test's random choices
 *
 * KVM_HV_EXT_SEED repeats a run; else it is a new one each time. Printed, so
 * that a failure can be replayed.
 *
 * Return: never 0.
 */
unsigned long long test_seed(void)
{
	const char *given = getenv("KVM_HV_EXT_SEED");
	unsigned long long seed;

	seed = given && *given ? strtoull(given, NULL, 0) : now_us();
	seed = seed ?: 1;
	fprintf(stderr, "# KVM_HV_EXT_SEED=%#llx\n", seed);
	return seed;
}

/**
 * now_us() - monotonic time
 *
 * Return: microseconds.
 */
unsigned long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

/**
 * pause_us() - let others run
 * @us: microseconds
 *
 * For polling interfaces, and to arrive at a random moment: never to wait for
 * something that can be awaited.
 */
void pause_us(unsigned long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static long meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtol(line + strlen(name), NULL, 10) : 0;
}

/**
 * file_write() - write a text into a file of the kernel's
 * @path: the file, which is there
 * @text: all of it, in one piece
 *
 * Return: 0 or -errno; -EIO if only some of it was taken.
 */
int file_write(const char *path, const char *text)
{
	ssize_t len = strlen(text), n;
	int ret, fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	ret = n < 0 ? -errno : n < len ? -EIO : 0;
	close(fd);
	return ret;
}

/**
 * file_number() - the number that a file of the kernel's begins with
 * @path: the file
 *
 * Return: the number, -1 if there is none.
 */
long file_number(const char *path)
{
	char text[32] = "", *end;
	long value;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	value = strtol(text, &end, 10);
	return end == text ? -1 : value;
}

/**
 * file_set_number() - write a number into a file of the kernel's
 * @path: the file, which is there
 * @value: the number
 *
 * Return: false if it was not taken.
 */
bool file_set_number(const char *path, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	return !file_write(path, text);
}

static void write_file(const char *path, const char *text)
{
	int ret = file_write(path, text);

	if (ret)
		die("%s: %s", path, strerror(-ret));
}

/**
 * mem_look() - how much memory is in use just now
 * @use: the answer
 */
void mem_look(struct mem_use *use)
{
	char text[8192];
	ssize_t len;
	int fd;

	fd = open("/proc/meminfo", O_RDONLY);
	len = read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		die("/proc/meminfo: %s", strerror(errno));
	close(fd);
	text[len] = 0;
	use->total = meminfo(text, "MemTotal:");
	use->cma_free = meminfo(text, "CmaFree:");
	use->vmalloc_used = meminfo(text, "VmallocUsed:");
	use->slab = meminfo(text, "SUnreclaim:");
}

/**
 * mem_use() - how much memory of the kinds that a resize uses is in use
 * @use: the answer
 */
void mem_use(struct mem_use *use)
{
	/* Cached files may be in the reserve. */
	write_file("/proc/sys/vm/drop_caches", "3");
	mem_look(use);
}

/*
 * What else a host uses meanwhile: anybody's movable pages in the CMA reserve
 * (some MiB come and go), per-CPU pages, slabs part full. An HPT's reverse map
 * is as large as the HPT, so that vmalloc tells exactly what the reserve does
 * not; a loss of HPTs alone must come to more than the slack to be seen.
 */
#define CMA_SLACK	16384
#define VMALLOC_SLACK	256
#define SLAB_SLACK	2048

/*
 * KASAN keeps what has been freed, up to a 32nd of all memory; kmemleak and others what they
 * know of each object. There it is kmemleak that finds the loss of a few objects, once a test
 * is over.
 */
#define SLAB_SLACK_DEBUG	65536

static long slab_slack(const struct mem_use *use)
{
	return host_slower() > 1 ? use->total / 32 + SLAB_SLACK_DEBUG : SLAB_SLACK;
}

/**
 * mem_returned() - whether all memory taken since came back
 * @before: from mem_use()
 * @ms: how long to allow for what the kernel frees in the background
 *
 * Return: false, with a comment that says what is missing, if not.
 */
bool mem_returned(const struct mem_use *before, unsigned long ms)
{
	unsigned long long end = now_us() + ms * 1000ull * host_slower();
	long slab = before->slab + slab_slack(before);
	struct mem_use now;

	do {
		mem_use(&now);
		if (now.cma_free + CMA_SLACK >= before->cma_free &&
		    now.vmalloc_used <= before->vmalloc_used + VMALLOC_SLACK &&
		    now.slab <= slab)
			return true;
		pause_us(100000);
	} while (now_us() < end);

	fprintf(stderr, "# CMA free %ld, was %ld; vmalloc %ld, was %ld; slab %ld, was %ld KiB\n",
		now.cma_free, before->cma_free, now.vmalloc_used,
		before->vmalloc_used, now.slab, before->slab);
	return false;
}

/**
 * counted() - tell who runs this many times how much was done this time
 * @n: how many
 * @what: of what, in one word
 *
 * lab/soak adds them up.
 */
void counted(unsigned long n, const char *what)
{
	printf("# counted: %lu %s\n", n, what);
	fflush(stdout);
}

/**
 * module_path() - where kvm-hv-ext.ko is
 *
 * KVM_HV_EXT_KO names it, else it is the one installed for this kernel.
 *
 * Return: NULL if there is none.
 */
const char *module_path(void)
{
	static const char * const dirs[] = { "updates/dkms", "updates", "extra" };
	static char path[512];
	struct utsname uts;
	unsigned int i;

	if (getenv("KVM_HV_EXT_KO"))
		return getenv("KVM_HV_EXT_KO");
	uname(&uts);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(path, sizeof(path), "/lib/modules/%s/%s/kvm-hv-ext.ko",
			 uts.release, dirs[i]);
		if (!access(path, R_OK))
			return path;
	}
	return NULL;
}

/**
 * module_loaded() - whether kvm-hv-ext is inserted just now
 *
 * Return: true if so.
 */
bool module_loaded(void)
{
	return !access("/sys/module/kvm_hv_ext", F_OK);
}

#define PARAMETERS	"/sys/module/kvm_hv_ext/parameters/"

/**
 * module_param() - a parameter of kvm-hv-ext that is a number
 * @name: its name
 *
 * Return: the value, -1 if there is no such parameter.
 */
long module_param(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return file_number(path);
}

/**
 * module_set_param() - set a parameter of kvm-hv-ext
 * @name: its name
 * @value: what it is to be
 *
 * Return: false if there is no such parameter, or it cannot be set.
 */
bool module_set_param(const char *name, long value)
{
	char path[128];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return file_set_number(path, value);
}

/**
 * module_params() - all parameters of kvm-hv-ext, to insert it again with
 * @text: "name=value ..."
 * @size: of @text
 */
void module_params(char *text, size_t size)
{
	DIR *dir = opendir(PARAMETERS);
	struct dirent *entry;
	size_t len = 0;

	if (!dir)
		die(PARAMETERS ": %s", strerror(errno));
	while ((entry = readdir(dir))) {
		char path[512], value[64];
		ssize_t n;
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), PARAMETERS "%s", entry->d_name);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
		close(fd);
		if (n <= 1)
			continue;
		value[n - 1] = 0;
		len += snprintf(text + len, size - len, "%s=%s ",
				entry->d_name, value);
		if (len >= size)
			die("parameters of kvm-hv-ext are longer than expected");
	}
	closedir(dir);
}

/**
 * module_insert() - insert a module
 * @path: its file
 * @params: "name=value ..."
 *
 * Return: 0, or -errno.
 */
int module_insert(const char *path, const char *params)
{
	int ret, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

/**
 * module_remove() - remove kvm-hv-ext
 *
 * Return: 0, or -errno: -EWOULDBLOCK while it is in use.
 */
int module_remove(void)
{
	return syscall(SYS_delete_module, "kvm_hv_ext", O_NONBLOCK) ? -errno : 0;
}

/**
 * module_lacks() - why a test cannot insert and remove the module
 *
 * Return: the reason, or NULL if it can.
 */
const char *module_lacks(void)
{
	if (!module_path())
		return "no kvm-hv-ext.ko: KVM_HV_EXT_KO does not name it, none is installed";
	return geteuid() ? "only root may insert modules" : NULL;
}

/**
 * module_take_out() - remove the module if it is there, for module_put_back()
 * @away: filled in
 *
 * Return: as module_remove().
 */
int module_take_out(struct module_away *away)
{
	away->was_loaded = module_loaded();
	if (!away->was_loaded)
		return 0;
	module_params(away->params, sizeof(away->params));
	return module_remove();
}

/**
 * module_put_back() - insert it as it was, if it was there
 * @away: as filled in; the module is out
 *
 * Return: as module_insert().
 */
int module_put_back(const struct module_away *away)
{
	return away->was_loaded ? module_insert(module_path(), away->params) : 0;
}

/**
 * host_allow_idle() - choose which idle states a CPU of the host may use
 * @cpu: the CPU
 * @allow: a bit for each state; the first state only polls and stays allowed
 *
 * Return: which were allowed before, without the first.
 */
unsigned long host_allow_idle(unsigned int cpu, unsigned long allow)
{
	unsigned long before = 0;
	unsigned int i;
	char path[96];
	char off;
	int fd;

	for (i = 1; i < 32; i++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%u/cpuidle/state%u/disable",
			 cpu, i);
		fd = open(path, O_RDWR);
		if (fd < 0)
			break;
		if (read(fd, &off, 1) == 1 && off == '0')
			before |= 1ul << i;
		if (pwrite(fd, allow >> i & 1 ? "0" : "1", 1, 0) != 1)
			die("%s: %s", path, strerror(errno));
		close(fd);
	}
	return before;
}
