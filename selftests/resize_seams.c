// SPDX-License-Identifier: GPL-2.0
/*
 * What belongs to a table beside its entries, and who has to be asked before another takes
 * its place: KVM's cache of MMIO, the dirty log, vCPUs that sleep, hcalls that are the
 * VMM's for a while, memslots that are just coming, timers, memory cgroups.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm_hv_ext.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "interrupt.h"
#include "table.h"
#include "view.h"
#include "vmm.h"

#define ORDER		20
#define SLOT		1
#define GPA		(256 * MIB)
#define NOWHERE		BIT_ULL(44)	/* no memslot is here */

FIXTURE(seams)
{
	struct table *table;
	struct vm *vm;
	struct vcpu *vcpu;
	int kmsg;
};

FIXTURE_SETUP(seams)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = 2);
	self->vm = self->table->vm;
	self->vcpu = self->table->vcpu;
}

FIXTURE_TEARDOWN(seams)
{
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
	close(self->kmsg);
	table_destroy(self->table);
}

static long enable_flags(struct vm *vm, u32 cap, u32 flags, u64 a, u64 b)
{
	struct kvm_enable_cap arg = { .cap = cap, .flags = flags, .args = { a, b } };

	return vm_ioctl(vm, KVM_ENABLE_CAP, &arg);
}

static struct view guest_view;
static volatile bool over;

static void answer_mmio(struct vcpu *vcpu, struct kvm_run *run)
{
	memset(run->mmio.data, 0x5a, sizeof(run->mmio.data));
	++*(unsigned int *)vcpu->vm->priv;
}

/* How many of the view's pages are mapped. */
static u64 guest_mapped(void)
{
	unsigned int nr, mapped = 0;
	u64 val;

	for (nr = 0; nr < guest_view.pages; nr++)
		mapped += guest_load(view_ea(&guest_view, nr), &val);
	return mapped;
}

/* As view_open(), but with entries that a copy leaves behind. */
static void enter_view(struct table *table, const struct view *view)
{
	unsigned int nr;

	for (nr = 0; nr < view->pages; nr++) {
		u64 index = view_index(view, nr, table->vm->order);
		u64 regs[9] = { 0, index };
		u64 v, r;

		/* They are bolted; once more without. */
		if (vcpu_hcall2(table->vcpu, H_READ, 0, index))
			die("H_READ");
		if (vcpu_hcall(table->vcpu, H_READ, regs))
			die("H_READ");
		v = regs[0] & ~HPTE_V_BOLTED;
		r = regs[1];
		table_remove(table, index);
		memset(regs, 0, sizeof(regs));
		regs[0] = H_EXACT;
		regs[1] = index;
		regs[2] = v;
		regs[3] = r;
		if (vcpu_hcall(table->vcpu, H_ENTER, regs))
			die("H_ENTER");
	}
}

#define MMIO_PAGES	4	/* fewer than KVM caches */

/* KVM remembers what was MMIO. A page that is not in the new table is none any more. */
TEST_F(seams, mmio_cache)
{
	unsigned int seen = 0;
	struct view view;

	ASSERT_EQ(0, vm_enable(self->vm, KVM_CAP_PPC_HPT_RESIZE,
			       KVM_PPC_HPT_RESIZE_COPY, 0));
	self->vm->priv = &seen;
	self->vm->mmio = answer_mmio;
	view = view_open(self->table, NOWHERE, MMIO_PAGES);
	enter_view(self->table, &view);
	*vm_guest(self->vm, guest_view) = view;

	ASSERT_EQ(MMIO_PAGES, vcpu_call(self->vcpu, guest_mapped, 0, 0));
	EXPECT_EQ(MMIO_PAGES, seen);
	/* From the cache. */
	ASSERT_EQ(MMIO_PAGES, vcpu_call(self->vcpu, guest_mapped, 0, 0));
	EXPECT_EQ(2 * MMIO_PAGES, seen);

	ASSERT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_EQ(0, vcpu_call(self->vcpu, guest_mapped, 0, 0));
	EXPECT_EQ(2 * MMIO_PAGES, seen);
}

#define PAGES		64

static void guest_dirty(void)
{
	unsigned int nr;

	for (nr = 0; nr < guest_view.pages; nr++)
		if (!guest_store(view_ea(&guest_view, nr), nr))
			guest_fail(__LINE__, nr, 0);
}

/* A page that was written to once is in the dirty log once. */
TEST_F(seams, dirty_once)
{
	unsigned long log[PAGES / 64];
	unsigned int i;

	vm_slot_add(self->vm, SLOT, GPA, PAGES * sysconf(_SC_PAGESIZE), 0,
		    KVM_MEM_LOG_DIRTY_PAGES);
	*vm_guest(self->vm, guest_view) = view_open(self->table, GPA, PAGES);
	for (i = 0; i < 4; i++) {
		vm_dirty_log(self->vm, SLOT, log);
		vcpu_call(self->vcpu, guest_dirty, 0, 0);
		ASSERT_EQ(0, resize(self->vcpu, i & 1 ? ORDER : ORDER + 1));
		vm_dirty_log(self->vm, SLOT, log);
		EXPECT_EQ(~0ul, log[0]);
		vm_dirty_log(self->vm, SLOT, log);
		EXPECT_EQ(0, log[0]);
	}
}

/*
 * Of several entries that want one slot of a smaller table one stays: with its own
 * reference and change bits, and not those of the ones that have gone.
 */
TEST_F(seams, bits_of_a_loser)
{
	const u64 half = 1ull << (ORDER - 4 - 1);
	struct page page = {
		.base_shift = 12,
		.shift = 12,
		.gpa = NOWHERE,
		.prot = HPTE_R_RW,
	};
	unsigned int i;
	int fd;

	for (i = 0; i < 32; i++) {
		u64 index = (0x100 + 16 * i) * HPTES_PER_GROUP + 5;
		u64 regs[9] = { H_EXACT, index };

		/* Whoever stays, the other one has been changed. */
		page.vsid = 0x777 + i;
		page.bolted = true;
		regs[2] = page_v(&page);
		regs[3] = page_r(&page);
		ASSERT_EQ(0, vcpu_hcall(self->vcpu, H_ENTER, regs));
		page.vsid += 0x1000;
		page.bolted = false;
		memset(regs, 0, sizeof(regs));
		regs[0] = H_EXACT;
		regs[1] = index + half;
		regs[2] = page_v(&page);
		regs[3] = page_r(&page) | HPTE_R_R | HPTE_R_C;
		ASSERT_EQ(0, vcpu_hcall(self->vcpu, H_ENTER, regs));
	}
	ASSERT_EQ(0, resize(self->vcpu, ORDER - 1));
	/* Waits for the harvest, which is what could bring them. */
	fd = htab_fd(self->vm, 0);
	ASSERT_LE(0, fd);
	close(fd);
	for (i = 0; i < 32; i++) {
		u64 index = (0x100 + 16 * i) * HPTES_PER_GROUP + 5;
		u64 regs[9] = { 0, index };

		ASSERT_EQ(0, vcpu_hcall(self->vcpu, H_READ, regs));
		EXPECT_TRUE(regs[0] & HPTE_V_BOLTED);
		EXPECT_EQ(0, regs[1] & (HPTE_R_R | HPTE_R_C));
	}
}

/* The guest's side: sleeps, for seconds at a time. */
static struct interrupts sleeper;
static volatile u64 sleeping;

static void guest_cede(void)
{
	guest_begin(&sleeper);
	while (!over) {
		sleeping++;
		guest_set_dec(3000 * DEC_MS);
		guest_hcall4(H_CEDE, 0, 0, 0, 0);
		guest_irq_off();
	}
}

/*
 * A vCPU that sleeps in H_CEDE is no reason to wait. It wakes up, as it may at any time,
 * and sleeps again.
 */
TEST_F_TIMEOUT(seams, ceded, 60)
{
	struct vm *vm = vm_create(.order = ORDER, .vcpus = 2);
	struct vcpu *sleeps = &vm->vcpu[1];
	unsigned int i;

	vm_take_interrupts(vm);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vcpu_start(sleeps, guest_cede, 0, 0);
	while (!*vm_guest(vm, sleeping))
		pause_us(100);
	for (i = 0; i < 4; i++) {
		/* So that it does. */
		pause_us(20000);
		ASSERT_EQ(0, resize_prepare(&vm->vcpu[0], ORDER + 1 + i % 2));
		pause_us(20000);
		EXPECT_EQ(0, resize_commit_running(&vm->vcpu[0], ORDER + 1 + i % 2));
	}
	*vm_guest(vm, over) = true;
	vcpu_join(sleeps);
	vm_destroy(vm);
}

static void guest_spin(void)
{
	while (!over)
		sleeping++;
}

/*
 * Nobody in user space sees that vCPUs were taken out, but for those that have work to do
 * on the way there. The kernel gives a thread some every 100 ms (task_mm_cid_work()).
 */
TEST_F_TIMEOUT(seams, unseen, 60)
{
	struct vcpu *spins = &self->vm->vcpu[1];
	unsigned long long start = now_us();
	unsigned int i;

	vcpu_start(spins, guest_spin, 0, 0);
	while (!*vm_guest(self->vm, sleeping))
		pause_us(100);
	for (i = 0; i < 20; i++)
		EXPECT_EQ(0, resize(self->vcpu, HPT_MIN_ORDER + 2 + i % 2));
	*vm_guest(self->vm, over) = true;
	vcpu_join(spins);
	TH_LOG("%lu times in %llu ms", spins->interrupted, (now_us() - start) / 1000);
	EXPECT_GE((now_us() - start) / 100000 + 5, spins->interrupted);
}

/* The VMM serves an hcall for a while. Those that come after are followed up again. */
TEST_F(seams, hcall_turned_off_and_on)
{
	static const u64 hcalls[] = {
		H_ENTER, H_REMOVE, H_BULK_REMOVE, H_PROTECT, H_CLEAR_REF, H_CLEAR_MOD, H_READ,
	};
	struct table *table = self->table;
	unsigned int i, order;

	ASSERT_EQ(0, vm_enable(self->vm, KVM_CAP_PPC_HPT_RESIZE,
			       KVM_PPC_HPT_RESIZE_MIRROR, 0));
	table_fill(table, 200);
	for (order = ORDER + 1; order <= ORDER + 3; order++) {
		ASSERT_EQ(0, resize_prepare(self->vcpu, order));
		for (i = 0; i < ARRAY_SIZE(hcalls); i++) {
			EXPECT_EQ(0, vm_enable(self->vm, KVM_CAP_PPC_ENABLE_HCALL,
					       hcalls[i], 0));
			EXPECT_EQ(0, vm_enable(self->vm, KVM_CAP_PPC_ENABLE_HCALL,
					       hcalls[i], 1));
		}
		table_churn(table, 100);
		ASSERT_EQ(0, resize_commit(self->vcpu, order));
		ASSERT_EQ(0, table_committed(table, order));
	}
}

/* No flag is defined for any capability of ours. */
TEST_F(seams, flags_of_capabilities)
{
	u64 on = KVM_PPC_HPT_RESIZE_COPY;
	u32 flags;

	for (flags = 1; flags; flags <<= 1) {
		EXPECT_EQ(-EINVAL, enable_flags(self->vm, KVM_CAP_PPC_HPT_RESIZE, flags, on, 0));
		EXPECT_EQ(-EINVAL, enable_flags(self->vm, KVM_CAP_PPC_GUEST_STOP, flags, 0, 0));
		EXPECT_EQ(-EINVAL, enable_flags(self->vm, KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT,
						flags, 16, 0));
	}
	EXPECT_EQ(-EINVAL, vm_enable(self->vm, KVM_CAP_PPC_HV_EXT, 0, 0));
	EXPECT_EQ(-EINVAL, vm_enable(self->vm, KVM_CAP_PPC_BALLOON_INHIBIT, 0, 0));
}

/* A VM that becomes radix has no table to switch to when it is back. */
TEST_F(seams, radix_and_back)
{
	struct kvm_ppc_mmuv3_cfg radix = {
		.flags = KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE,
		.process_table = 1ull << 63,	/* radix, says that, too */
	};
	struct kvm_ppc_mmuv3_cfg hash = {};

	if (!vm_has_ext(self->vm, KVM_CAP_PPC_MMU_RADIX))
		SKIP(return, "no radix guests on this host");
	ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER + 1));
	ASSERT_EQ(0, vm_ioctl(self->vm, KVM_PPC_CONFIGURE_V3_MMU, &radix));
	EXPECT_EQ(-EINVAL, resize_commit(self->vcpu, ORDER + 1));
	ASSERT_EQ(0, vm_ioctl(self->vm, KVM_PPC_CONFIGURE_V3_MMU, &hash));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	ASSERT_EQ(0, vm_alloc_htab(self->vm, ORDER));
	EXPECT_EQ(-ENXIO, resize_commit(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, resize(self->vcpu, ORDER + 1));
	EXPECT_GUEST_RUNS(self->vcpu);
}

/* Large enough for KVM to be some time at its reverse map: 32 MiB of that. */
#define COMING_GPA	BIT(41)
#define COMING_SIZE	((32 * MIB / 8) * sysconf(_SC_PAGESIZE))

struct coming {
	struct vm *vm;
	pthread_t thread;
	void *mem;
	int ret;
};

static void *slot_comes(void *arg)
{
	struct coming *me = arg;
	struct kvm_userspace_memory_region region = {
		.slot = SLOT,
		.guest_phys_addr = COMING_GPA,
		.memory_size = COMING_SIZE,
		.userspace_addr = (unsigned long)me->mem,
	};
	const struct sched_param none = {};

	/* On the host's only CPU a PREPARE must get ahead of it, whose worker is nice. */
	if (sched_setscheduler(0, SCHED_IDLE, &none))
		die("no SCHED_IDLE: %s", strerror(errno));
	me->ret = vm_ioctl(me->vm, KVM_SET_USER_MEMORY_REGION, &region);
	return NULL;
}

/* Memory for it, and nothing of a table that is made before COMMIT. */
static void coming_open(struct __test_metadata *_metadata, struct coming *coming)
{
	ASSERT_EQ(0, vm_enable(coming->vm, KVM_CAP_PPC_HPT_RESIZE,
			       KVM_PPC_HPT_RESIZE_COPY, 0));
	coming->mem = mmap(NULL, COMING_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, coming->mem);
}

/* It has ended a resize already, and is not there yet, unless it was quick. */
static void slot_begins_to_come(struct __test_metadata *_metadata, struct vcpu *vcpu,
				struct coming *coming)
{
	unsigned long before = vm_counter(coming->vm, "counters", "cancelled_memslot");

	ASSERT_EQ(0, resize_prepare(vcpu, ORDER + 1));
	ASSERT_EQ(0, pthread_create(&coming->thread, NULL, slot_comes, coming));
	while (vm_counter(coming->vm, "counters", "cancelled_memslot") == before)
		pause_us(50);
}

/*
 * A memslot that comes ends the resize there is, and takes a while to be there. A table
 * that is begun in that time has no reverse map for it.
 */
TEST_F_TIMEOUT(seams, begun_while_a_slot_comes, 120)
{
	struct coming coming = { .vm = self->vm };
	unsigned int i, ended = 0, n = 20;

	coming_open(_metadata, &coming);
	for (i = 0; i < n && !ended; i++) {
		struct kvm_userspace_memory_region gone = { .slot = SLOT };
		int ret;

		slot_begins_to_come(_metadata, self->vcpu, &coming);
		ASSERT_EQ(0, resize_prepare(self->vcpu, ORDER - 1));
		pthread_join(coming.thread, NULL);
		ASSERT_EQ(0, coming.ret);
		ret = resize_commit(self->vcpu, ORDER - 1);
		if (ret)
			ASSERT_EQ(-ENXIO, ret);
		ended += ret == -ENXIO;
		if (!ret)
			ASSERT_EQ(0, resize(self->vcpu, ORDER));
		ASSERT_EQ(0, vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION, &gone));
	}
	TH_LOG("ended the %u. time", i);
	EXPECT_EQ(1, ended);
	munmap(coming.mem, COMING_SIZE);
}

/* Whether a memslot is there; this does not wait for those that come and go. */
static bool slot_is_there(struct vm *vm)
{
	struct kvm_ppc_check_memory ask = {
		.guest_addr = COMING_GPA,
		.host_addr = (unsigned long)vm->slot[0].host,
		.size = sysconf(_SC_PAGESIZE),
	};

	return vm_ioctl(vm, KVM_PPC_CHECK_MEMORY, &ask) == -EEXIST;
}

/* Nor is such a table committed before the memslot is there. */
TEST_F_TIMEOUT(seams, committed_while_a_slot_comes, 120)
{
	struct coming coming = { .vm = self->vm };
	unsigned int i, met = 0, n = 20;

	coming_open(_metadata, &coming);
	for (i = 0; i < n && !met; i++) {
		struct kvm_userspace_memory_region gone = { .slot = SLOT };
		int ret;

		slot_begins_to_come(_metadata, self->vcpu, &coming);
		ASSERT_EQ(0, resize_prepare(self->vcpu, HPT_MIN_ORDER));
		met += !slot_is_there(self->vm);
		ret = resize_commit(self->vcpu, HPT_MIN_ORDER);
		if (!ret)
			EXPECT_TRUE(slot_is_there(self->vm));
		pthread_join(coming.thread, NULL);
		ASSERT_EQ(0, coming.ret);
		ASSERT_EQ(0, vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION, &gone));
	}
	TH_LOG("it came during the %u. COMMIT", i);
	EXPECT_EQ(1, met);
	munmap(coming.mem, COMING_SIZE);
}

/* The time that one has waited for its COMMIT is not the next one's. */
TEST_F_TIMEOUT(seams, timer_of_another, 60)
{
	long timeout = module_param("commit_timeout_ms");
	u64 expired;
	int ret;

	ASSERT_TRUE(module_set_param("commit_timeout_ms", 50));
	ret = resize_prepare(self->vcpu, ORDER + 1);
	ASSERT_TRUE(module_set_param("commit_timeout_ms", timeout));
	ASSERT_EQ(0, ret);
	EXPECT_LT(0, resize_prepare_once(self->vcpu, 0, 27));
	/* It may have, on a host that was busy until now. */
	expired = vm_counter(self->vm, "counters", "cancelled_timeout");
	/* At work for longer than that. */
	EXPECT_EQ(0, resize_prepare(self->vcpu, 27));
	EXPECT_EQ(expired, vm_counter(self->vm, "counters", "cancelled_timeout"));
	EXPECT_EQ(2, vm_counter(self->vm, "counters", "prepares"));
}

#define CGROUPS		"/tmp/resize-seams-cgroup"
#define CGROUP		CGROUPS "/resize-seams"

/* A table is paid for by the VMM: what beside it is not from the reserve. */
TEST_F(seams, charged)
{
	const unsigned int order = 24;
	const long pays = 16l << (order - 4);	/* reverse map entries */
	char pid[16];
	struct vm *vm;
	long before, during;

	if (geteuid())
		SKIP(return, "only root may make a cgroup");
	mkdir(CGROUPS, 0700);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL))
		SKIP(return, "no cgroups here");
	file_write(CGROUPS "/cgroup.subtree_control", "+memory");
	mkdir(CGROUP, 0700);
	snprintf(pid, sizeof(pid), "%d", getpid());
	before = file_number(CGROUP "/memory.current");
	if (before < 0 || file_write(CGROUP "/cgroup.procs", pid)) {
		rmdir(CGROUP);
		umount(CGROUPS);
		SKIP(return, "no memory cgroups here");
	}
	vm = vm_create(.order = ORDER);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	before = file_number(CGROUP "/memory.current");
	EXPECT_EQ(0, resize_prepare(&vm->vcpu[0], order));
	during = file_number(CGROUP "/memory.current");
	TH_LOG("%ld KiB more", (during - before) / 1024);
	EXPECT_LE(pays * 9 / 10, during - before);
	vm_destroy(vm);

	EXPECT_EQ(0, file_write(CGROUPS "/cgroup.procs", pid));
	rmdir(CGROUP);
	umount(CGROUPS);
	rmdir(CGROUPS);
}

#define EVENTFDS	50000

/* The eventfd that is told is the last one; those before are let go. */
TEST_F_TIMEOUT(seams, eventfds_come_and_go, 120)
{
	struct kvm_ppc_balloon_inhibit arg = { .op = KVM_PPC_BALLOON_NOTIFY };
	struct mem_use before = {};
	unsigned int i;

	for (i = 0; i < EVENTFDS + 100; i++) {
		if (i == 100)
			mem_use(&before);
		arg.eventfd = eventfd(0, EFD_CLOEXEC);
		ASSERT_LE(0, arg.eventfd);
		ASSERT_EQ(0, vm_ioctl(self->vm, KVM_PPC_BALLOON_INHIBIT, &arg));
		close(arg.eventfd);
	}
	/* They are slabs; a kernel thread that has come meanwhile has a stack. */
	before.vmalloc_used = LONG_MAX / 2;
	EXPECT_TRUE(mem_returned(&before, 2000));
}

/* Arguments that are not in memory. */
TEST_F(seams, no_argument)
{
	void *nowhere = (void *)BIT_ULL(62);

	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_ALLOCATE_HTAB, nowhere));
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_RESIZE_HPT_PREPARE, nowhere));
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_RESIZE_HPT_COMMIT, nowhere));
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_BALLOON_INHIBIT, nowhere));
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_HV_EXT_STATE, nowhere));
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_CHECK_MEMORY, nowhere));
	EXPECT_GUEST_RUNS(self->vcpu);
	EXPECT_EQ(0, table_resize(self->table, ORDER + 1));
}

TEST_HARNESS_MAIN
