// SPDX-License-Identifier: GPL-2.0
/*
 * A thread sleeps while it holds an HPTE's lock, as one that is preempted does in stock
 * KVM on some kernels: whoever waits for the lock lets it go on, and others run.
 *
 * kvm-hv-ext-test.ko is the one that sleeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "vmm.h"

#define ORDER		18
#define PAGES		64
#define HOLD_MS		1500
/*
 * Where somebody spins with preemption off nothing else runs while it is held. With one
 * CPU that would be the holder, too, and for ever.
 */
#define MAX_GAP_US	(HOLD_MS * 1000ull * 9 / 10)
#define MAX_CPUS	8

#define TEST_DIR	"/sys/kernel/debug/kvm-hv-ext-test/"

/* A thread that holds the lock of an entry. */
struct hold {
	pthread_t thread;
	char text[64];
	int error;
};

/* One that is to run all the time, on each CPU. */
struct pulse {
	pthread_t thread;
	int cpu;
	atomic_bool over;
	unsigned long long longest_us;
};

FIXTURE(lock)
{
	struct vm *vm;
	struct vcpu *vcpu;
	struct page page;	/* the entry in question, one of many */
	unsigned int slot;
	struct pulse pulse[MAX_CPUS];
	int cpus;
	int kmsg;
};

/* It is a bool. */
static bool set_verify(char value)
{
	int fd = open("/sys/module/kvm_hv_ext/parameters/verify", O_RDWR);
	char was = 'N';

	if (fd < 0 || read(fd, &was, 1) != 1 || pwrite(fd, &value, 1, 0) != 1)
		die("cannot set the parameter verify");
	close(fd);
	return was == 'Y';
}

static bool verified;

static u64 index_of(const struct page *page, unsigned int slot,
		    unsigned int order)
{
	return hash_group(page_hash(page), page->secondary, order) *
	       HPTES_PER_GROUP + slot;
}

/* Referenced, so that a harvest has something to bring. */
static unsigned int enter(struct vcpu *vcpu, const struct page *page)
{
	u64 args[9] = { 0, index_of(page, 0, ORDER), page_v(page),
			page_r(page) | HPTE_R_R };
	long ret = vcpu_hcall(vcpu, H_ENTER, args);

	if (ret)
		die("H_ENTER: %ld", ret);
	return args[0] % HPTES_PER_GROUP;
}

static void *hold_thread(void *arg)
{
	struct hold *hold = arg;
	int fd = open(TEST_DIR "hold", O_WRONLY);

	if (fd < 0 || write(fd, hold->text, strlen(hold->text)) < 0)
		hold->error = errno;
	close(fd);
	return NULL;
}

static int nr_held(void)
{
	long n = file_number(TEST_DIR "held");

	if (n < 0)
		die("cannot read %s", TEST_DIR "held");
	return n;
}

/* Of which table: the present one, or else the one that is prepared. */
static void hold_begin(struct hold *hold, struct vm *vm, u64 index, int ms, int n,
		       bool present)
{
	unsigned long long end = now_us() + 5000000;

	memset(hold, 0, sizeof(*hold));
	snprintf(hold->text, sizeof(hold->text), "%d %llu %d%s", vm->fd,
		 (unsigned long long)index, ms, present ? "" : " pending");
	if (pthread_create(&hold->thread, NULL, hold_thread, hold))
		die("cannot start a thread");
	while (nr_held() < n) {
		if (hold->error || now_us() > end)
			die("entry %s is not held: %s", hold->text,
			    strerror(hold->error));
		pause_us(200);
	}
}

/* Returns with the entry locked, as the n-th. */
static void hold_start(struct hold *hold, struct vm *vm, u64 index, int ms,
		       int n)
{
	hold_begin(hold, vm, index, ms, n, true);
}

/* Likewise, of the table that is prepared. */
static void hold_start_pending(struct hold *hold, struct vm *vm, u64 index, int ms)
{
	hold_begin(hold, vm, index, ms, 1, false);
}

static int hold_end(struct hold *hold)
{
	pthread_join(hold->thread, NULL);
	return hold->error;
}

static void *pulse_thread(void *arg)
{
	struct pulse *pulse = arg;
	unsigned long long last = now_us(), now;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(pulse->cpu, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	while (!atomic_load(&pulse->over)) {
		pause_us(1000);
		now = now_us();
		if (now - last > pulse->longest_us)
			pulse->longest_us = now - last;
		last = now;
	}
	return NULL;
}

static void pulse_start(struct pulse *pulse, int cpu)
{
	memset(pulse, 0, sizeof(*pulse));
	pulse->cpu = cpu;
	if (pthread_create(&pulse->thread, NULL, pulse_thread, pulse))
		die("cannot start a thread");
}

static unsigned long long pulse_end(struct pulse *pulse)
{
	atomic_store(&pulse->over, true);
	pthread_join(pulse->thread, NULL);
	return pulse->longest_us;
}

/* Inserts kvm-hv-ext-test.ko, which lies beside the module itself; says why not. */
static const char *lacks_test_module(void)
{
	const char *path = module_path();
	char test[512];

	if (!access(TEST_DIR "held", F_OK))
		return NULL;
	if (!path)
		return "no kvm-hv-ext-test.ko: KVM_HV_EXT_KO does not name kvm-hv-ext.ko";
	snprintf(test, sizeof(test), "%.*s-test.ko", (int)strlen(path) - 3, path);
	if (access(test, F_OK))
		return "no kvm-hv-ext-test.ko: not built with CONFIG_KVM_HV_EXT_TEST=m";
	if (module_insert(test, ""))
		die("%s cannot be inserted", test);
	return NULL;
}

FIXTURE_SETUP(lock)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);
	int i;

	if (!why)
		why = lacks_test_module();
	if (why)
		SKIP(return, "%s", why);
	/* COMMIT would read every entry, and wait there. */
	verified = set_verify('N');
	self->kmsg = kmsg_open();
	self->vm = vm_create(.order = ORDER, .vcpus = 2,
			     .strategy = KVM_PPC_HPT_RESIZE_MIRROR);
	self->vcpu = &self->vm->vcpu[0];
	for (i = 0; i < PAGES; i++) {
		self->page = (struct page) {
			.vsid = 0x1234 + 0x17 * i,
			.offset = i << 12,
			.gpa = GUEST_DATA + (i << 12),
			.prot = HPTE_R_RW,
			.base_shift = 12,
			.shift = 12,
			.bolted = true,
		};
		self->slot = enter(self->vcpu, &self->page);
	}
	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (self->cpus > MAX_CPUS)
		self->cpus = MAX_CPUS;
	for (i = 0; i < self->cpus; i++)
		pulse_start(&self->pulse[i], i);
}

FIXTURE_TEARDOWN(lock)
{
	unsigned long long longest;
	int i;

	for (i = 0; i < self->cpus; i++) {
		longest = pulse_end(&self->pulse[i]);
		if (self->cpus > 1)
			EXPECT_GT(MAX_GAP_US, longest);
	}
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
	close(self->kmsg);
	set_verify(verified ? 'Y' : 'N');
	vm_destroy(self->vm);
}

/* The worker that walks the old table comes to it. */
TEST_F_TIMEOUT(lock, walk, 60)
{
	u64 index = index_of(&self->page, self->slot, ORDER);
	unsigned long long start = now_us();
	struct hold hold;

	hold_start(&hold, self->vm, index, HOLD_MS, 1);
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	/* Not before, or it was not met. */
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
}

/* It has been told to give up meanwhile: then it does, and comes to no other. */
TEST_F_TIMEOUT(lock, worker_gives_up, 60)
{
	/* At the beginning of the table and near its end: by far not in one piece. */
	struct page page[2] = { self->page, self->page };
	const u64 group[2] = { 5, 1800 };
	unsigned long long start, took;
	struct hold hold[2];
	u64 index[2];
	int i, fd;

	for (i = 0; i < 2; i++) {
		page[i].offset = 0;
		page[i].vsid = 0x10000 + group[i];
		index[i] = index_of(&page[i], enter(self->vcpu, &page[i]), ORDER);
		ASSERT_EQ(group[i], index[i] / HPTES_PER_GROUP);
	}
	start = now_us();
	/* The longer one first: the other is to be held yet when the worker comes to it. */
	hold_start(&hold[1], self->vm, index[1], 3 * HOLD_MS, 1);
	hold_start(&hold[0], self->vm, index[0], HOLD_MS, 2);
	ASSERT_LT(0, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	/* It comes to the first. */
	pause_us(HOLD_MS * 1000ull / 4);
	EXPECT_LT(0, resize_prepare_once(self->vcpu, 0, ORDER + 1));
	EXPECT_EQ(0, resize_prepare_once(self->vcpu, 0, 0));
	/* Waits for the worker. */
	fd = htab_fd(self->vm, 0);
	took = now_us() - start;
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_LE(HOLD_MS * 1000ull, took);
	EXPECT_GT(5 * HOLD_MS / 2 * 1000ull, took);
	EXPECT_EQ(0, hold_end(&hold[0]));
	EXPECT_EQ(0, hold_end(&hold[1]));
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
}

/* So does an hcall, which is mirrored. */
TEST_F_TIMEOUT(lock, hcall, 60)
{
	u64 index = index_of(&self->page, self->slot, ORDER);
	u64 regs[9] = { H_AVPN, index, page_avpn(&self->page) };
	unsigned long long start;
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	start = now_us();
	hold_start(&hold, self->vm, index, HOLD_MS, 1);
	EXPECT_EQ(H_SUCCESS, vcpu_hcall(self->vcpu, H_REMOVE, regs));
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
}

/*
 * The harvest comes to it in the old table, then, as what keeps it there ends, in the
 * new one; and so does an hcall.
 */
TEST_F_TIMEOUT(lock, harvest, 60)
{
	u64 old = index_of(&self->page, self->slot, ORDER);
	u64 new = index_of(&self->page, self->slot, ORDER + 1);
	u64 regs[9] = { H_AVPN, new, page_avpn(&self->page) };
	unsigned long long start;
	struct hold first, second;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	hold_start(&first, self->vm, old, HOLD_MS / 2, 1);
	ASSERT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	start = now_us();
	hold_start(&second, self->vm, new, HOLD_MS, 2);
	EXPECT_EQ(H_SUCCESS, vcpu_hcall(self->vcpu, H_REMOVE, regs));
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(0, hold_end(&first));
	EXPECT_EQ(0, hold_end(&second));
	/* Waits for the harvest. */
	EXPECT_EQ(0, resize(self->vcpu, ORDER));
}

static u64 guest_remove(u64 index, u64 avpn)
{
	return guest_hcall4(H_REMOVE, H_AVPN, index, avpn, 0);
}

/*
 * A resize is given up while an hcall is being followed up: what that looks at stays
 * until it is done.
 */
TEST_F_TIMEOUT(lock, cancel_waits_for_hcall, 60)
{
	u64 index = index_of(&self->page, self->slot, ORDER);
	struct vcpu *asks = &self->vm->vcpu[1];
	unsigned long long start;
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(asks, ORDER + 1));
	start = now_us();
	hold_start(&hold, self->vm, index, HOLD_MS, 1);
	vcpu_start(self->vcpu, guest_remove, index, page_avpn(&self->page));
	/* It comes to the lock. */
	pause_us(HOLD_MS * 1000ull / 3);
	EXPECT_EQ(0, resize_prepare_once(asks, 0, 0));
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(H_SUCCESS, vcpu_join(self->vcpu));
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize(asks, ORDER + 1));
}

/* So does the harvest with the old table, when it has nothing more to do itself. */
TEST_F_TIMEOUT(lock, harvest_waits_for_hcall, 60)
{
	struct page page = self->page;
	struct vcpu *asks = &self->vm->vcpu[1];
	unsigned long long start;
	struct hold first, second;
	u64 args[9] = { 0 }, old, new;

	/* One that has nothing to be harvested. */
	page.vsid ^= 0x8000;
	args[1] = index_of(&page, 0, ORDER);
	args[2] = page_v(&page);
	args[3] = page_r(&page);
	ASSERT_EQ(H_SUCCESS, vcpu_hcall(self->vcpu, H_ENTER, args));
	new = index_of(&page, args[0] % HPTES_PER_GROUP, ORDER + 1);
	old = index_of(&self->page, self->slot, ORDER);

	ASSERT_EQ(0, resize_prepare(asks, ORDER + 1));
	hold_start(&first, self->vm, old, HOLD_MS / 2, 1);
	ASSERT_EQ(0, resize_commit(asks, ORDER + 1));
	start = now_us();
	hold_start(&second, self->vm, new, HOLD_MS, 2);
	vcpu_start(self->vcpu, guest_remove, new, page_avpn(&page));
	/* Begins when the harvest is over. */
	EXPECT_EQ(0, resize_prepare(asks, ORDER));
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(H_SUCCESS, vcpu_join(self->vcpu));
	EXPECT_EQ(0, hold_end(&first));
	EXPECT_EQ(0, hold_end(&second));
	EXPECT_EQ(0, resize_commit(asks, ORDER));
}

/* Nor is the next table filled before, by entries that lack what is to be harvested. */
TEST_F_TIMEOUT(lock, prepare_waits_for_harvest, 60)
{
	u64 old = index_of(&self->page, self->slot, ORDER);
	unsigned long long start;
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	start = now_us();
	hold_start(&hold, self->vm, old, HOLD_MS, 1);
	ASSERT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, resize_prepare(self->vcpu, ORDER));
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize_commit(self->vcpu, ORDER));
}

/*
 * COMMIT does not: neither one that has nothing to commit, nor one that comes before the
 * worker has begun. A harvest keeps no balloon off either.
 */
TEST_F_TIMEOUT(lock, commit_waits_for_no_harvest, 60)
{
	u64 old = index_of(&self->page, self->slot, ORDER);
	unsigned long long start;
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	EXPECT_EQ(1, vm_has_ext(self->vm, KVM_CAP_PPC_BALLOON_INHIBIT));
	start = now_us();
	hold_start(&hold, self->vm, old, HOLD_MS, 1);
	ASSERT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, vm_has_ext(self->vm, KVM_CAP_PPC_BALLOON_INHIBIT));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_LT(0, resize_prepare_once(self->vcpu, 0, ORDER));
	EXPECT_EQ(-EBUSY, resize_commit(self->vcpu, ORDER));
	EXPECT_GT(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize(self->vcpu, ORDER));
}

/* The thread that harvests: of the one VM that there is. */
static pid_t harvester(void)
{
	pid_t found = 0;
	glob_t names;
	size_t i;

	if (glob("/proc/[0-9]*/comm", 0, NULL, &names))
		die("/proc cannot be read");
	for (i = 0; i < names.gl_pathc && !found; i++) {
		FILE *f = fopen(names.gl_pathv[i], "r");
		char name[32] = "";

		if (f && fgets(name, sizeof(name), f) &&
		    !strncmp(name, "hpt-harvest", 11))
			found = atoi(names.gl_pathv[i] + strlen("/proc/"));
		if (f)
			fclose(f);
	}
	globfree(&names);
	return found;
}

/* Whether its nice value comes to that while the entry is held. */
static bool harvests_at(pid_t thread, int nice)
{
	while (getpriority(PRIO_PROCESS, thread) != nice && nr_held())
		pause_us(1000);
	return nr_held();
}

/* The harvest has what CPU time is left over, until somebody waits for it. */
TEST_F_TIMEOUT(lock, harvest_hurries, 60)
{
	u64 old = index_of(&self->page, self->slot, ORDER);
	struct hold hold;
	pid_t thread;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	thread = harvester();
	ASSERT_NE(0, thread);
	/* Neither: so that it is seen to begin. */
	ASSERT_EQ(0, setpriority(PRIO_PROCESS, thread, 1));
	hold_start(&hold, self->vm, old, HOLD_MS, 1);
	ASSERT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_TRUE(harvests_at(thread, 15));
	/* Of PREPARE only the beginning, which returns before it waits. */
	EXPECT_LT(0, resize_prepare_once(self->vcpu, 0, ORDER));
	EXPECT_TRUE(harvests_at(thread, 0));
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize(self->vcpu, ORDER));
}

/* Nor does a memslot come or change before: the harvest uses the dirty bitmaps. */
TEST_F_TIMEOUT(lock, memslot_waits_for_harvest, 60)
{
	u64 old = index_of(&self->page, self->slot, ORDER);
	unsigned long long start;
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	start = now_us();
	hold_start(&hold, self->vm, old, HOLD_MS, 1);
	ASSERT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	vm_slot_add(self->vm, 1, GIB, MIB, 0, 0);
	EXPECT_LE(HOLD_MS * 1000ull, now_us() - start);
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize(self->vcpu, ORDER));
}

/* No table is switched under a vCPU that is in an hcall, however long that takes. */
TEST_F_TIMEOUT(lock, commit_waits_for_hcall, 60)
{
	u64 index = index_of(&self->page, self->slot, ORDER);
	struct vcpu *asks = &self->vm->vcpu[1];
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(asks, ORDER + 1));
	hold_start(&hold, self->vm, index, 2 * HOLD_MS, 1);
	vcpu_start(self->vcpu, guest_remove, index, page_avpn(&self->page));
	/* It comes to the lock. */
	pause_us(HOLD_MS * 1000ull / 3);
	EXPECT_EQ(-EBUSY, resize_commit(asks, ORDER + 1));
	EXPECT_EQ(H_SUCCESS, vcpu_join(self->vcpu));
	EXPECT_EQ(0, hold_end(&hold));
	EXPECT_EQ(0, resize_commit(asks, ORDER + 1));
}

/*
 * What an entry that is removed has left in the new table goes as well, though the slot
 * is locked when the hcall comes there. The guest would go on to use the page otherwise.
 */
TEST_F_TIMEOUT(lock, removed_while_held, 60)
{
	u64 index = index_of(&self->page, self->slot, ORDER);
	u64 new = index_of(&self->page, self->slot, ORDER + 1);
	u64 regs[9] = { H_AVPN, index, page_avpn(&self->page) };
	struct hold hold;

	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	hold_start_pending(&hold, self->vm, new, HOLD_MS);
	EXPECT_EQ(H_SUCCESS, vcpu_hcall(self->vcpu, H_REMOVE, regs));
	EXPECT_EQ(0, hold_end(&hold));
	ASSERT_EQ(0, resize_commit(self->vcpu, ORDER + 1));
	memset(regs, 0, sizeof(regs));
	regs[1] = new;
	EXPECT_EQ(H_SUCCESS, vcpu_hcall(self->vcpu, H_READ, regs));
	EXPECT_EQ(0, regs[0]);
}

static const struct page another = {
	.vsid = 0x4321,
	.gpa = GUEST_DATA,
	.prot = HPTE_R_RW,
	.base_shift = 12,
	.shift = 12,
};

static u64 guest_enter_another(u64 index)
{
	return guest_hcall4(H_ENTER, 0, index, page_v(&another), page_r(&another));
}

/* Nor is the table cleared under one whose hcall the module serves. */
TEST_F_TIMEOUT(lock, reset_is_refused_during_hcall, 60)
{
	struct vm *vm = vm_create(.order = ORDER, .vcpus = 2);
	u64 index = index_of(&another, 0, ORDER);
	u64 args[9] = { H_EXACT, index, page_v(&another), page_r(&another) };
	struct hold hold;

	/* So that H_ENTER comes to the module. */
	ASSERT_EQ(0, vm_set_limit(vm, __builtin_ctzl(sysconf(_SC_PAGESIZE)),
				  KVM_PPC_HPT_MAX_PAGE_STRICT));
	ASSERT_EQ(H_SUCCESS, vcpu_hcall(&vm->vcpu[0], H_ENTER, args));
	hold_start(&hold, vm, index, 2 * HOLD_MS, 1);
	vcpu_start(&vm->vcpu[0], guest_enter_another, index, 0);
	/* It comes to the lock. */
	pause_us(HOLD_MS * 1000ull / 3);
	EXPECT_EQ(-EBUSY, vm_alloc_htab(vm, ORDER));
	EXPECT_EQ(H_SUCCESS, vcpu_join(&vm->vcpu[0]));
	EXPECT_EQ(0, hold_end(&hold));
	vm_destroy(vm);
}

TEST_HARNESS_MAIN
