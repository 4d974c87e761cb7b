// SPDX-License-Identifier: GPL-2.0
/*
 * Tables that are warm: entries have their host pages before COMMIT. So whatever the
 * host does to the guest's memory while a resize is prepared, at COMMIT and right after,
 * has to reach the new table, too: pages are discarded, unmapped, write-protected, moved,
 * shared by fork and KSM, collapsed to huge pages and split again. vCPUs use their pages
 * all the time, and remove and enter the entries.
 *
 * After each COMMIT everybody is held, and the guest sees each page as the host does:
 * an entry whose page is gone would show another one, and swallow what is stored.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "kmsg.h"
#include "memory.h"
#include "view.h"
#include "vmm.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define ORDER		20
#define GPA		(256 * MIB)
#define PAGES		128
#define SLOT		1
#define WORKERS		2
#define GUEST_YIELD	0xf0e0	/* an hcall that only leaves the guest */

/* Of each page: the word of the guest, and that of the host. */
#define GUEST_WORD	0
#define HOST_WORD	1024

/* No vCPU stores to these, so that they are alike, for KSM. */
#define IS_QUIET(nr)	((nr) % 4 == 3)

/* Of the guest. */
static struct view view;
static volatile u64 last[PAGES];	/* what the page's owner has stored */
static volatile bool stored[PAGES];	/* since the dirty log was read */
static volatile bool parked[WORKERS];
static volatile bool hold, over;
static volatile bool lossy;		/* the host discards pages */
static volatile bool removes;
static volatile u64 order, done[WORKERS];
static volatile u64 seen[PAGES];

static void guest_enter_again(unsigned int nr)
{
	u64 index = view_index(&view, nr, order);
	u64 regs[9] = { 0, index }, v, r;

	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_REMOVE, regs));
	v = regs[0];
	r = regs[1];
	regs[0] = H_EXACT;
	regs[1] = index;
	regs[2] = v;
	regs[3] = r;
	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_ENTER, regs));
}

static void guest_use(unsigned int nr, u64 value)
{
	u64 ea = view_ea(&view, nr) + GUEST_WORD, was;

	if (!guest_load(ea, &was))
		guest_fail(__LINE__, nr, 0);
	if (was != last[nr] && !(lossy && !was))
		guest_fail(__LINE__, was, last[nr]);
	if (IS_QUIET(nr))
		return;
	if (!guest_store(ea, value))
		guest_fail(__LINE__, nr, 0);
	last[nr] = value;
	stored[nr] = true;
}

static void guest_work(u64 seed, u64 me)
{
	while (!over) {
		u64 random = guest_random(&seed);
		unsigned int nr = random % (PAGES / WORKERS) * WORKERS + me;

		if (hold) {
			parked[me] = true;
			while (hold)
				guest_hcall4(GUEST_YIELD, 0, 0, 0, 0);
			parked[me] = false;
		}
		guest_use(nr, random);
		if (removes && !(random >> 32 & 7))
			guest_enter_again(nr);
		if (!(random >> 40 & 15))
			guest_hcall4(GUEST_YIELD, 0, 0, 0, 0);
		done[me]++;
	}
}

static void guest_look(void)
{
	unsigned int nr;

	for (nr = 0; nr < PAGES; nr++) {
		u64 val;

		if (!guest_load(view_ea(&view, nr) + HOST_WORD, &val))
			guest_fail(__LINE__, nr, 0);
		seen[nr] = val;
	}
}

static void guest_write(u64 value)
{
	unsigned int nr;

	for (nr = 0; nr < PAGES; nr++)
		if (!guest_store(view_ea(&view, nr) + HOST_WORD, value + nr))
			guest_fail(__LINE__, nr, 0);
}

enum attack {
	PROTECT = 1,	/* read-only for a moment */
	DISCARD = 2,
	REMAP = 4,	/* another mapping in its place */
	MOVE = 8,	/* compaction */
	FORK = 16,	/* and copy on write */
	COLLAPSE = 32,	/* to huge pages, and split */
	MERGE = 64,	/* KSM */
};

FIXTURE(warm)
{
	struct table *table;
	struct vm *vm;
	struct vcpu *asks;
	void *mem;
	unsigned long page, size;
	unsigned long bitmap[PAGES / 64];
	bool log;
	int kmsg;
};

FIXTURE_VARIANT(warm)
{
	enum memory_kind kind;
	unsigned int attacks;
	bool log;
};

FIXTURE_VARIANT_ADD(warm, anonymous)
{
	.kind = MEM_ANON,
	.attacks = PROTECT | DISCARD | REMAP | MOVE,
};

FIXTURE_VARIANT_ADD(warm, anonymous_kept)
{
	.kind = MEM_ANON,
	.attacks = PROTECT | FORK | MOVE,
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, merged)
{
	.kind = MEM_ANON,
	.attacks = PROTECT | MERGE,
};

FIXTURE_VARIANT_ADD(warm, shared)
{
	.kind = MEM_MEMFD,
	.attacks = PROTECT | DISCARD | MOVE,
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, huge)
{
	.kind = MEM_THP,
	.attacks = PROTECT | COLLAPSE | DISCARD,
};

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

static void ksm(bool on)
{
	write_file("/sys/kernel/mm/ksm/pages_to_scan", on ? "512" : "100");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", on ? "2" : "20");
	write_file("/sys/kernel/mm/ksm/run", on ? "1" : "2");
}

FIXTURE_SETUP(warm)
{
	const char *why = vmm_lacks(ROAD_IOCTL);
	struct vm *vm;

	if (!why && vm_strategy() == KVM_PPC_HPT_RESIZE_COPY)
		why = "copy-at-commit has no warm tables";
	if (!why && (variant->attacks & COLLAPSE) && !thp_shift())
		why = "no transparent huge pages here";
	if (!why && (variant->attacks & MERGE) && access("/sys/kernel/mm/ksm/run", W_OK))
		why = "no KSM here";
	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = WORKERS + 1,
				   .strategy = KVM_PPC_HPT_RESIZE_MIRROR);
	vm = self->table->vm;
	self->vm = vm;
	self->asks = &vm->vcpu[WORKERS];
	self->page = sysconf(_SC_PAGESIZE);
	self->size = PAGES * self->page;
	self->mem = memory_map(variant->kind, self->size, 0);
	memset(self->mem, 0, self->size);
	vm_slot_use(vm, SLOT, GPA, self->size, self->mem);
	/* On POWER8 stock KVM logs in real mode, in vmalloc memory: resize_race. */
	self->log = variant->log && vm_has_ext(vm, KVM_CAP_PPC_MMU_HASH_V3);
	if (self->log)
		ASSERT_EQ(0, vm_slot_set(vm, SLOT, GPA, KVM_MEM_LOG_DIRTY_PAGES));
	*vm_guest(vm, view) = view_open(self->table, GPA, PAGES);
	*vm_guest(vm, order) = ORDER;
	*vm_guest(vm, lossy) = variant->attacks & (DISCARD | REMAP);
	*vm_guest(vm, removes) = true;
	vm->faults = true;
	if (variant->attacks & MERGE) {
		ASSERT_EQ(0, madvise(self->mem, self->size, MADV_MERGEABLE));
		ksm(true);
	}
}

FIXTURE_TEARDOWN(warm)
{
	if (variant->attacks & MERGE)
		ksm(false);
	close(self->kmsg);
	table_destroy(self->table);
}

struct attacker {
	void *mem;
	unsigned long page, size;
	enum memory_kind kind;
	unsigned int attacks;
	u64 random;
	pthread_mutex_t lock;		/* held while an attack is under way */
	volatile bool stop;
	volatile u64 done[7];
};

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

static int attack(struct attacker *me, unsigned int kind, void *part,
		  unsigned long length)
{
	const unsigned long huge = 1ul << thp_shift();
	void *at = (void *)((unsigned long)part & -huge);
	volatile u64 *word = part + HOST_WORD;

	switch (kind) {
	case PROTECT:
		return mprotect(part, length, PROT_READ) ?:
		       mprotect(me->mem, me->size, PROT_READ | PROT_WRITE);
	case DISCARD:
		return madvise(part, length, me->kind == MEM_MEMFD ? MADV_REMOVE :
								     MADV_DONTNEED);
	case REMAP:
		return mmap(part, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		       MAP_FAILED;
	case MOVE:
		write_file("/proc/sys/vm/compact_memory", "1");
		return 0;
	case FORK:
		attack_fork(word);
		return 0;
	case COLLAPSE:
		/* It may find no huge page. */
		madvise(at, huge, MADV_COLLAPSE);
		return 0;
	default:
		/* One that KSM has merged is copied. */
		*word = *word;
		return 0;
	}
}

static void *attack_all(void *arg)
{
	struct attacker *me = arg;

	while (!me->stop) {
		u64 r = guest_random(&me->random);
		unsigned int i = r % 7;
		unsigned long first = (r >> 8) % PAGES, n = 1 + (r >> 32) % 8;
		int ret;

		/* These take long. */
		if (!(me->attacks & 1u << i) ||
		    (1u << i & (MOVE | FORK | COLLAPSE) && r >> 40 & 3))
			continue;
		if (first + n > PAGES)
			n = PAGES - first;
		pthread_mutex_lock(&me->lock);
		ret = attack(me, 1u << i, me->mem + first * me->page, n * me->page);
		me->done[i]++;
		pthread_mutex_unlock(&me->lock);
		if (ret)
			die("attack %u: %s", 1u << i, strerror(errno));
		pause_us(r >> 44 & 0x1ff);
	}
	return NULL;
}

static void park(struct vm *vm, bool on)
{
	volatile bool *there = *vm_guest(vm, parked);
	unsigned int v;

	*vm_guest(vm, hold) = on;
	for (v = 0; v < WORKERS; v++)
		while (there[v] != on)
			sched_yield();
}

/* How many pages are another's to the guest than to the host. */
static unsigned int foreign(struct vm *vm, struct vcpu *vcpu, void *mem,
			    unsigned long page, u64 value)
{
	volatile u64 *saw = *vm_guest(vm, seen);
	unsigned int nr, wrong = 0;

	/* As they are; then with something new by the one, and by the other. */
	vcpu_call(vcpu, guest_look, 0, 0);
	for (nr = 0; nr < PAGES; nr++)
		wrong += saw[nr] != *(u64 *)(mem + nr * page + HOST_WORD);
	for (nr = 0; nr < PAGES; nr++)
		*(u64 *)(mem + nr * page + HOST_WORD) = value - nr;
	vcpu_call(vcpu, guest_look, 0, 0);
	for (nr = 0; nr < PAGES; nr++)
		wrong += saw[nr] != value - nr;
	vcpu_call(vcpu, guest_write, value, 0);
	for (nr = 0; nr < PAGES; nr++)
		wrong += *(u64 *)(mem + nr * page + HOST_WORD) != value + nr;
	/* Alike again, for KSM. */
	for (nr = 0; nr < PAGES; nr++)
		if (IS_QUIET(nr))
			*(u64 *)(mem + nr * page + HOST_WORD) = 0;
	return wrong;
}

/* Of the pages that vCPUs have stored to: how many does the log not have? */
static unsigned int unlogged(struct vm *vm, unsigned long *bitmap)
{
	volatile bool *written = *vm_guest(vm, stored);
	unsigned int nr, lost = 0;

	vm_dirty_log(vm, SLOT, bitmap);
	for (nr = 0; nr < PAGES; nr++) {
		lost += written[nr] && !(bitmap[nr / 64] & 1ul << nr % 64);
		written[nr] = false;
	}
	return lost;
}

static void await_work(struct vm *vm, u64 more)
{
	volatile u64 *count = *vm_guest(vm, done);
	u64 until = count[0] + more;

	while (count[0] < until)
		sched_yield();
}

TEST_F_TIMEOUT(warm, attacked, 300)
{
	struct attacker attacker = {
		.mem = self->mem,
		.page = self->page,
		.size = self->size,
		.kind = variant->kind,
		.attacks = variant->attacks,
		.random = guest_random(&self->table->random),
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	u64 *random = &self->table->random;
	unsigned int i, v, n = scaled(12);
	pthread_t thread;

	for (v = 0; v < WORKERS; v++)
		vcpu_start(&self->vm->vcpu[v], guest_work, guest_random(random), v);
	ASSERT_EQ(0, pthread_create(&thread, NULL, attack_all, &attacker));

	for (i = 0; i < n; i++) {
		unsigned int to = vm_least_order() + guest_random(random) % 5;

		ASSERT_EQ(0, resize_prepare(self->asks, to));
		/* A while in which both tables are kept in step. */
		await_work(self->vm, guest_random(random) % 64);
		park(self->vm, true);
		ASSERT_EQ(0, resize_commit(self->asks, to));
		*vm_guest(self->vm, order) = to;
		/* Every other time the vCPUs go on a while as they were. */
		if (i & 1) {
			park(self->vm, false);
			await_work(self->vm, 16);
			park(self->vm, true);
		}
		pthread_mutex_lock(&attacker.lock);
		EXPECT_EQ(0, foreign(self->vm, self->asks, self->mem, self->page,
				     guest_random(random) | 1ull << 63));
		if (self->log)
			EXPECT_EQ(0, unlogged(self->vm, self->bitmap));
		pthread_mutex_unlock(&attacker.lock);
		park(self->vm, false);
	}
	attacker.stop = true;
	pthread_join(thread, NULL);
	*vm_guest(self->vm, over) = true;
	for (v = 0; v < WORKERS; v++)
		vcpu_join(&self->vm->vcpu[v]);
	TH_LOG("%u resizes; %lu protected, %lu discarded, %lu remapped, %lu compactions", n,
	       (long)attacker.done[0], (long)attacker.done[1],
	       (long)attacker.done[2], (long)attacker.done[3]);
	TH_LOG("%lu forks, %lu collapsed, %lu merged", (long)attacker.done[4],
	       (long)attacker.done[5], (long)attacker.done[6]);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
