// SPDX-License-Identifier: GPL-2.0
/*
 * lookups: how much a guest gets done while its HPT is resized.
 *
 * A thread for each CPU looks up keys at random in a table of memory, as the probing side
 * of a hash join does, and counts what it has done in each tenth of a second. One more
 * thread asks for a resize in the midst of that and sleeps until it is done.
 *
 *	lookups -m MIB -s SECONDS -f FILE ORDER
 *
 * writes ORDER to FILE, by which the guest's HPT is resized, after a third of the SECONDS.
 * Prints, with the time in milliseconds since the beginning,
 *
 *	lookups MS COUNT		for each tenth of a second that begins at MS
 *	resize BEGIN END		when FILE was written to, and when that returned
 *
 * and exits with status 1 if it was refused, or a key was not where it belongs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_MSEC	1000000UL
#define BIN_MS		100UL
#define MAX_BINS	1024
#define MAX_THREADS	64
/* Between two looks at the clock: some tens of microseconds. */
#define BATCH		64

struct thread {
	pthread_t id;
	unsigned long random;
	unsigned long count[MAX_BINS];
	bool wrong;
};

static unsigned long *table;
static unsigned long nr_keys;		/* a power of two */
static unsigned long nr_bins;
static unsigned long start_ns;
static pthread_barrier_t begin;
static struct thread threads[MAX_THREADS];

static noreturn void die(const char *what)
{
	fprintf(stderr, "lookups: %s: %s\n", what, strerror(errno));
	exit(2);
}

static unsigned long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * NSEC_PER_MSEC + ts.tv_nsec;
}

static unsigned long now_ms(void)
{
	return (now_ns() - start_ns) / NSEC_PER_MSEC;
}

/* What belongs there; no two keys have the same. */
static unsigned long key_at(unsigned long place)
{
	return (place + 1) * 0x9e3779b97f4a7c15UL;
}

/* xorshift64. */
static unsigned long next_random(unsigned long *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static void *look_up(void *arg)
{
	struct thread *thread = arg;
	unsigned long bin, place;
	int i;

	pthread_barrier_wait(&begin);
	while ((bin = now_ms() / BIN_MS) < nr_bins) {
		for (i = 0; i < BATCH; i++) {
			place = next_random(&thread->random) & (nr_keys - 1);
			if (table[place] != key_at(place))
				thread->wrong = true;
		}
		thread->count[bin] += BATCH;
	}
	return NULL;
}

static void resize(const char *file, const char *order, unsigned long at_ms)
{
	struct timespec wait = { .tv_sec = at_ms / 1000,
				 .tv_nsec = at_ms % 1000 * NSEC_PER_MSEC };
	unsigned long before;
	int fd;

	fd = open(file, O_WRONLY);
	if (fd < 0)
		die(file);
	pthread_barrier_wait(&begin);
	nanosleep(&wait, NULL);
	before = now_ms();
	if (write(fd, order, strlen(order)) < 0)
		die(order);
	printf("resize %lu %lu\n", before, now_ms());
	close(fd);
}

static void fill(unsigned long bytes)
{
	unsigned long place;

	nr_keys = bytes / sizeof(*table);
	table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (table == MAP_FAILED)
		die("memory");
	for (place = 0; place < nr_keys; place++)
		table[place] = key_at(place);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || !value) {
		fprintf(stderr, "lookups: %s is no number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	unsigned long mib = 64, seconds = 9, cpus = sysconf(_SC_NPROCESSORS_ONLN), bin, sum, i;
	const char *file = "/sys/kernel/hpt/order";
	bool wrong = false;
	int option;

	while ((option = getopt(argc, argv, "m:s:f:")) != -1) {
		if (option == 'm')
			mib = number(optarg);
		else if (option == 's')
			seconds = number(optarg);
		else if (option == 'f')
			file = optarg;
		else
			return 2;
	}
	nr_bins = seconds * 1000 / BIN_MS;
	if (optind != argc - 1 || nr_bins > MAX_BINS || (mib & (mib - 1)) ||
	    cpus > MAX_THREADS) {
		fputs("usage: lookups [-m MIB, a power of two] [-s SECONDS] [-f FILE] ORDER\n",
		      stderr);
		return 2;
	}

	fill(mib << 20);
	pthread_barrier_init(&begin, NULL, cpus + 1);
	start_ns = now_ns();
	for (i = 0; i < cpus; i++) {
		threads[i].random = i + 1;
		errno = pthread_create(&threads[i].id, NULL, look_up, &threads[i]);
		if (errno)
			die("thread");
	}
	resize(file, argv[optind], seconds * 1000 / 3);
	for (i = 0; i < cpus; i++) {
		pthread_join(threads[i].id, NULL);
		wrong |= threads[i].wrong;
	}

	for (bin = 0; bin < nr_bins; bin++) {
		for (sum = 0, i = 0; i < cpus; i++)
			sum += threads[i].count[bin];
		printf("lookups %lu %lu\n", bin * BIN_MS, sum);
	}
	if (wrong)
		fprintf(stderr, "lookups: a key is not where it belongs\n");
	return wrong;
}
