// SPDX-License-Identifier: GPL-2.0
/*
 * churn: keeps a guest's translations busy and notices a wrong byte.
 *
 * Fills memory with a pattern that tells every word from every other, then
 * changes the mappings all the time and compares every byte it put there. One
 * thread for each CPU; a thread owns a set of regions, some anonymous and some
 * of a shared file, and in each round does something to each of them: maps it
 * anew, moves it, takes rights away and gives them back, drops its pages, or
 * forks a child that works on its copy.
 *
 *	churn [-m MIB] [-r ROUNDS] [-t THREADS] [-x]
 *
 * Says "churn: ready" when memory is filled, runs for ROUNDS rounds or until
 * SIGTERM or SIGINT, compares everything once more, and ends with one line:
 *
 *	churn: OK, ...			exit status 0
 *	churn: WRONG at ADDRESS, ...	exit status 1
 *	churn: error: ...		exit status 2
 *
 * -x flips one bit in the second round, to show that it does notice.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define REGION_SIZE	0x100000UL
#define REGION_WORDS	(REGION_SIZE / sizeof(unsigned long))

enum { EXIT_OK, EXIT_WRONG, EXIT_ERROR };

struct region {
	unsigned long *mem;
	unsigned long base;		/* word i holds base + i * STRIDE */
	int fd;			/* of a shared file, or -1: anonymous */
};

/* Odd, so that the words of a region are all different. */
#define STRIDE	0x9e3779b97f4a7c15UL

struct thread {
	pthread_t id;
	struct region *regions;
	unsigned int nr_regions;
	unsigned long random;
	unsigned long rounds, changes, words;
};

static atomic_bool stop;
static atomic_uint filled;
static unsigned long max_rounds;
static bool spoil;

static noreturn void die(const char *what)
{
	printf("churn: error: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(EXIT_ERROR);
}

/* xorshift64: good enough to choose what to do next, and to make patterns. */
static unsigned long next_random(struct thread *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

static void fill(struct thread *t, struct region *r)
{
	unsigned long word;
	unsigned long i;

	r->base = next_random(t);
	word = r->base;
	for (i = 0; i < REGION_WORDS; i++, word += STRIDE)
		r->mem[i] = word;
}

/* What the memory holds, not what the compiler remembers of it. */
static unsigned long load(const unsigned long *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static noreturn void wrong(struct thread *t, struct region *r,
			   const unsigned long *at, unsigned long expected,
			   unsigned long found)
{
	printf("churn: WRONG at %p, expected 0x%016lx, found 0x%016lx, ",
	       at, expected, found);
	printf("then 0x%016lx (%s, round %lu, pid %d)\n", load(at),
	       r->fd < 0 ? "anonymous" : "shared file", t->rounds, getpid());
	fflush(stdout);
	_exit(EXIT_WRONG);
}

/* Does not return if a byte differs. */
static void compare(struct thread *t, struct region *r,
		    const unsigned long *mem)
{
	unsigned long word = r->base, found;
	unsigned long i;

	for (i = 0; i < REGION_WORDS; i++, word += STRIDE) {
		found = load(&mem[i]);
		if (found != word)
			wrong(t, r, &mem[i], word, found);
	}
	t->words += REGION_WORDS;
}

static unsigned long *map(int fd)
{
	void *mem;

	mem = mmap(NULL, REGION_SIZE, PROT_READ | PROT_WRITE,
		   fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static void unmap(unsigned long *mem)
{
	if (munmap(mem, REGION_SIZE))
		die("munmap");
}

/* A new file region is one that outlives its mappings. */
static void create(struct region *r, bool file)
{
	r->fd = -1;
	if (file) {
		r->fd = memfd_create("churn", 0);
		if (r->fd < 0 || ftruncate(r->fd, REGION_SIZE))
			die("memfd");
	}
	r->mem = map(r->fd);
}

/* Elsewhere, with the old place empty; the file's content has to be there. */
static void remap(struct thread *t, struct region *r)
{
	unsigned long *old = r->mem;

	r->mem = map(r->fd);
	unmap(old);
	if (r->fd >= 0)
		compare(t, r, r->mem);
	else
		fill(t, r);
}

/* The same pages at another address. */
static void move(struct thread *t, struct region *r)
{
	void *to = map(-1);

	r->mem = mremap(r->mem, REGION_SIZE, REGION_SIZE,
			MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (r->mem == MAP_FAILED)
		die("mremap");
	compare(t, r, r->mem);
}

static void protect(struct thread *t, struct region *r)
{
	if (mprotect(r->mem, REGION_SIZE, PROT_NONE) ||
	    mprotect(r->mem, REGION_SIZE, PROT_READ))
		die("mprotect");
	compare(t, r, r->mem);
	if (mprotect(r->mem, REGION_SIZE, PROT_READ | PROT_WRITE))
		die("mprotect");
	fill(t, r);
}

/* Anonymous pages come back as zeroes, those of a file as they were. */
static void drop(struct thread *t, struct region *r)
{
	unsigned long i, found;

	if (madvise(r->mem, REGION_SIZE, MADV_DONTNEED))
		die("madvise");
	if (r->fd >= 0) {
		compare(t, r, r->mem);
		return;
	}
	for (i = 0; i < REGION_WORDS; i++) {
		found = load(&r->mem[i]);
		if (found)
			wrong(t, r, &r->mem[i], 0, found);
	}
	fill(t, r);
}

/* Through a second mapping of the same file. */
static void alias(struct thread *t, struct region *r)
{
	unsigned long *other;

	if (r->fd < 0) {
		move(t, r);
		return;
	}
	other = map(r->fd);
	compare(t, r, other);
	fill(t, r);
	compare(t, r, other);
	unmap(other);
}

/*
 * A child that sees what we see and overwrites its copy, which must not have
 * reached ours.
 */
static void fork_child(struct thread *t, struct region *r)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		compare(t, r, r->mem);
		if (r->fd < 0) {
			fill(t, r);
			compare(t, r, r->mem);
		}
		_exit(EXIT_OK);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK) {
		if (WIFSIGNALED(status))
			printf("churn: WRONG at a child, killed by signal %d\n",
			       WTERMSIG(status));
		fflush(stdout);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_WRONG);
	}
	compare(t, r, r->mem);
}

static void change(struct thread *t, struct region *r)
{
	unsigned long what = next_random(t);

	/* A fork copies all page tables: not so often. */
	if (what % 64 == 0) {
		fork_child(t, r);
		return;
	}

	switch (what % 5) {
	case 0:
		remap(t, r);
		break;
	case 1:
		move(t, r);
		break;
	case 2:
		protect(t, r);
		break;
	case 3:
		drop(t, r);
		break;
	case 4:
		alias(t, r);
		break;
	}
}

static void run_round(struct thread *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_regions && !stop; i++) {
		compare(t, &t->regions[i], t->regions[i].mem);
		change(t, &t->regions[i]);
		t->changes++;
	}
	t->rounds++;
}

static void *run(void *arg)
{
	struct thread *t = arg;
	unsigned int i;

	for (i = 0; i < t->nr_regions; i++) {
		create(&t->regions[i], i % 4 == 3);
		fill(t, &t->regions[i]);
	}
	atomic_fetch_add(&filled, 1);

	while (!stop && (!max_rounds || t->rounds < max_rounds)) {
		run_round(t);
		if (spoil && t->rounds == 1)
			t->regions[0].mem[REGION_WORDS / 2] ^= 1UL << 40;
	}

	for (i = 0; i < t->nr_regions; i++)
		compare(t, &t->regions[i], t->regions[i].mem);
	return NULL;
}

static unsigned long parse(const char *arg)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (errno || *end || end == arg) {
		printf("churn: error: '%s' makes no sense\n", arg);
		exit(EXIT_ERROR);
	}
	return n;
}

static void await_end(sigset_t *signals, struct thread *threads,
		      unsigned int nr)
{
	unsigned int i;
	int sig;

	if (!max_rounds) {
		sigwait(signals, &sig);
		stop = true;
	}
	for (i = 0; i < nr; i++)
		pthread_join(threads[i].id, NULL);
}

int main(int argc, char **argv)
{
	unsigned long mib = 256, nr = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long rounds = ULONG_MAX, changed = 0, words = 0;
	struct thread *threads;
	sigset_t signals;
	unsigned int i;
	int opt;

	while ((opt = getopt(argc, argv, "m:r:t:x")) != -1) {
		switch (opt) {
		case 'm':
			mib = parse(optarg);
			break;
		case 'r':
			max_rounds = parse(optarg);
			break;
		case 't':
			nr = parse(optarg);
			break;
		case 'x':
			spoil = true;
			break;
		default:
			puts("usage: churn [-m MIB] [-r ROUNDS] [-t THREADS] [-x]");
			return EXIT_ERROR;
		}
	}
	if (!nr || mib < nr) {
		puts("churn: error: at least one thread, and 1 MiB for each");
		return EXIT_ERROR;
	}

	/* For sigwait(); the threads are to have them blocked, too. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	if (!max_rounds)
		pthread_sigmask(SIG_BLOCK, &signals, NULL);

	threads = calloc(nr, sizeof(*threads));
	if (!threads)
		die("calloc");
	for (i = 0; i < nr; i++) {
		threads[i].random = STRIDE * (i + 1);
		threads[i].nr_regions = mib / nr;
		threads[i].regions = calloc(mib / nr, sizeof(struct region));
		if (!threads[i].regions)
			die("calloc");
		errno = pthread_create(&threads[i].id, NULL, run, &threads[i]);
		if (errno)
			die("pthread_create");
	}
	while (filled < nr)
		usleep(1000);
	printf("churn: ready, %lu MiB, %lu threads\n", mib / nr * nr, nr);
	fflush(stdout);

	await_end(&signals, threads, nr);
	for (i = 0; i < nr; i++) {
		if (threads[i].rounds < rounds)
			rounds = threads[i].rounds;
		changed += threads[i].changes;
		words += threads[i].words;
	}
	printf("churn: OK, %lu rounds, %lu mappings changed, %lu MiB compared\n",
	       rounds, changed, words * sizeof(unsigned long) >> 20);
	return EXIT_OK;
}
