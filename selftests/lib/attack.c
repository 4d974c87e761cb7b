// SPDX-License-Identifier: GPL-2.0
/* A host that is after its guests' memory. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "attack.h"
#include "guest.h"
#include "host.h"
#include "swap.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define MOST_PAGES	8	/* at a time */
#define MPOL_MF_MOVE	2

static const struct {
	const char *name;
	/* Of /proc/vmstat: it counts up where the attack achieves something. */
	const char *effect;
	bool slow;
} attacks[NR_ATTACKS] = {
	[PROTECT] = { "protected" },
	[DISCARD] = { "discarded" },
	[REMAP] = { "remapped" },
	[COMPACT] = { "compactions", .slow = true },
	[MIGRATE] = { "migrated", "pgmigrate_success" },
	[FORK] = { "forks", .slow = true },
	[COLLAPSE] = { "collapsed", "thp_collapse_alloc" },
	[MERGE] = { "unmerged", "cow_ksm" },
	[SWAP] = { "swapped", "pswpout" },
	[POSTCOPY] = { "postcopied" },
};

static unsigned long read_vmstat(const char *name)
{
	unsigned long val, found = 0;
	char line[128];
	FILE *f = fopen("/proc/vmstat", "r");

	if (!f)
		die("/proc/vmstat: %s", strerror(errno));
	while (fscanf(f, "%127s %lu", line, &val) == 2)
		if (!strcmp(line, name))
			found = val;
	fclose(f);
	return found;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	/* Compaction may find that there is nothing to do. */
	if (write(fd, text, strlen(text)) < 0 && errno == EACCES)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void run_ksm(bool on)
{
	write_file("/sys/kernel/mm/ksm/pages_to_scan", on ? "512" : "100");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", on ? "2" : "20");
	write_file("/sys/kernel/mm/ksm/run", on ? "1" : "2");
}

/* Nodes with memory: how many, and the number of the last. */
static unsigned int nodes(unsigned int *last)
{
	FILE *f = fopen("/sys/devices/system/node/has_memory", "r");
	unsigned int n = 0, first;

	*last = 0;
	if (!f)
		return 1;
	/* "0-1" or "0,8": two of them are enough. */
	while (fscanf(f, "%u", &first) == 1) {
		*last = first;
		n++;
		if (fgetc(f) == EOF)
			break;
	}
	fclose(f);
	return n;
}

static int uffd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/**
 * attack_lacks() - what is missing on this host for some attacks
 * @wanted: BIT() of each
 * @bytes: of memory that is to be attacked
 *
 * Return: NULL if they are possible. Until attack_report() the host can swap then, if
 * that is one of them.
 */
const char *attack_lacks(unsigned int wanted, unsigned long bytes)
{
	unsigned int last;
	int fd;

	if (wanted & BIT(COLLAPSE) && !thp_shift())
		return "no transparent huge pages here";
	if (wanted & BIT(MERGE) && access("/sys/kernel/mm/ksm/run", W_OK))
		return "no KSM here";
	if (wanted & BIT(COMPACT) && access("/proc/sys/vm/compact_memory", W_OK))
		return "no compaction here";
	if (wanted & BIT(MIGRATE) && nodes(&last) < 2)
		return "only one node has memory";
	if (wanted & BIT(POSTCOPY)) {
		fd = uffd_open();
		if (fd < 0)
			return "no userfaultfd here";
		close(fd);
	}
	return wanted & BIT(SWAP) ? swap_begin(4 * bytes) : NULL;
}

/* The parent's page is another one afterwards, with the same contents. */
static void attack_fork(volatile u64 *word)
{
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	if (child < 0)
		return;
	*word = *word;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static int attack_migrate(struct attacker *me, void *part, unsigned int n, u64 r)
{
	int node[MOST_PAGES], status[MOST_PAGES];
	void *page[MOST_PAGES];
	unsigned int i, last;

	nodes(&last);
	for (i = 0; i < n; i++) {
		page[i] = part + i * me->page;
		node[i] = r >> i & 1 ? last : 0;
	}
	/* One that is in use just now stays. */
	return syscall(__NR_move_pages, 0, (long)n, page, node, status,
		       MPOL_MF_MOVE) < 0;
}

/*
 * As the destination of a migration has it: who touches the pages waits, until they come.
 * Nothing is lost, for they went away with all that was in them.
 */
static int attack_postcopy(struct attacker *me, void *part, unsigned int n, u64 r)
{
	unsigned long length = n * me->page;
	void *away = mremap(part, length, length,
			    MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	struct uffdio_copy copy;
	unsigned int i, nr;

	if (away == MAP_FAILED)
		return -1;
	for (i = 0; i < n; i++) {
		nr = (i + r) % n;
		copy = (struct uffdio_copy) {
			.dst = (unsigned long)part + nr * me->page,
			.src = (unsigned long)away + nr * me->page,
			.len = me->page,
		};
		while (ioctl(me->uffd, UFFDIO_COPY, &copy))
			if (errno != EAGAIN)
				return -1;
	}
	return munmap(away, length);
}

static int attack(struct attacker *me, enum attack which, unsigned int first,
		  unsigned int n, u64 r)
{
	void *part = me->mem + first * me->page;
	const unsigned long huge = 1ul << thp_shift();
	unsigned long length = n * me->page;
	volatile u64 *word = part + me->word;

	switch (which) {
	case PROTECT:
		/* No other pages, for what unmaps them hides what should have been. */
		return mprotect(part, length, PROT_READ) ?:
		       mprotect(part, length, PROT_READ | PROT_WRITE);
	case DISCARD:
		return madvise(part, length, me->kind == MEM_MEMFD ? MADV_REMOVE :
								     MADV_DONTNEED);
	case REMAP:
		return mmap(part, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		       MAP_FAILED;
	case COMPACT:
		write_file("/proc/sys/vm/compact_memory", "1");
		return 0;
	case MIGRATE:
		return attack_migrate(me, part, n, r);
	case FORK:
		attack_fork(word);
		return 0;
	case COLLAPSE:
		/* It may find no huge page. */
		madvise((void *)((unsigned long)part & -huge), huge, MADV_COLLAPSE);
		return 0;
	case SWAP:
		return madvise(part, length, MADV_PAGEOUT);
	case POSTCOPY:
		return attack_postcopy(me, part, n, r);
	default:
		/* One that KSM has merged is copied. */
		*word = *word;
		return 0;
	}
}

static void *attack_all(void *arg)
{
	struct attacker *me = arg;

	while (!me->stop && me->attacks) {
		u64 r = guest_random(&me->random);
		enum attack which = r % NR_ATTACKS;
		unsigned int first = (r >> 8) % me->pages;
		unsigned int n = 1 + (r >> 32) % MOST_PAGES;
		int ret;

		if (!(me->attacks & BIT(which)) ||
		    (attacks[which].slow && r >> 40 & 15))
			continue;
		if (first + n > me->pages)
			n = me->pages - first;
		pthread_mutex_lock(&me->lock);
		ret = attack(me, which, first, n, r >> 48);
		me->done[which]++;
		pthread_mutex_unlock(&me->lock);
		if (ret)
			die("not %s: %s", attacks[which].name, strerror(errno));
		/* In bursts. */
		if (r >> 60)
			sched_yield();
		else
			pause_us(r >> 44 & 0x3ff);
	}
	return NULL;
}

/**
 * attack_start() - begin
 * @me: what is to be attacked, and how; attack_lacks() has seen nothing missing
 */
void attack_start(struct attacker *me)
{
	unsigned int i;
	int ret;

	me->page = sysconf(_SC_PAGESIZE);
	pthread_mutex_init(&me->lock, NULL);
	me->stop = false;
	for (i = 0; i < NR_ATTACKS; i++)
		if (attacks[i].effect)
			me->before[i] = read_vmstat(attacks[i].effect);
	if (me->attacks & BIT(MERGE)) {
		if (madvise(me->mem, me->pages * me->page, MADV_MERGEABLE))
			die("MADV_MERGEABLE: %s", strerror(errno));
		run_ksm(true);
	}
	if (me->attacks & BIT(POSTCOPY)) {
		struct uffdio_register reg = {
			.range = { (unsigned long)me->mem, me->pages * me->page },
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		me->uffd = uffd_open();
		if (ioctl(me->uffd, UFFDIO_REGISTER, &reg))
			die("UFFDIO_REGISTER: %s", strerror(errno));
	}
	ret = pthread_create(&me->thread, NULL, attack_all, me);
	if (ret)
		die("attacker: %s", strerror(ret));
}

/**
 * attack_hold() - let the memory be, for a while
 * @me: the attacker, who is not at it on return
 */
void attack_hold(struct attacker *me)
{
	pthread_mutex_lock(&me->lock);
}

/**
 * attack_go_on() - the opposite
 * @me: the attacker
 */
void attack_go_on(struct attacker *me)
{
	pthread_mutex_unlock(&me->lock);
}

/**
 * attack_stop() - have done with it
 * @me: the attacker; the memory is all there on return, and like any other
 */
void attack_stop(struct attacker *me)
{
	me->stop = true;
	pthread_join(me->thread, NULL);
	if (me->attacks & BIT(MERGE))
		run_ksm(false);
	if (me->attacks & BIT(POSTCOPY))
		close(me->uffd);
	if (me->attacks & BIT(SWAP))
		swap_end();
}

/**
 * attack_report() - what has been done, in words
 * @me: the attacker, that has been stopped
 * @text: filled in
 * @size: of @text
 *
 * Return: how many kinds of attacks have achieved nothing, by the host's counters.
 */
unsigned int attack_report(struct attacker *me, char *text, size_t size)
{
	unsigned int i, vain = 0;
	size_t len = 0;

	text[0] = 0;
	for (i = 0; i < NR_ATTACKS && len < size; i++) {
		const char *effect = attacks[i].effect;
		unsigned long more;

		if (!(me->attacks & BIT(i)))
			continue;
		len += snprintf(text + len, size - len, "%s%lu %s", len ? ", " : "",
				me->done[i], attacks[i].name);
		if (!effect || len >= size)
			continue;
		more = read_vmstat(effect) - me->before[i];
		len += snprintf(text + len, size - len, " (%s %lu)", effect, more);
		vain += !more;
	}
	return vain;
}
