// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon inhibit: who holds it, who is told, and that memory which goes all the
 * same is counted to the byte, and memory that stays is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/kvm_hv_ext.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "vfio.h"
#include "vmm.h"
#include "work.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define ORDER		20
#define SLOT		1
#define SLOT_GPA	GIB
#define SLOT_SIZE	(64 * MIB)

static int balloon_op(struct vm *vm, u32 op, int eventfd)
{
	struct kvm_ppc_balloon_inhibit arg = { .op = op, .eventfd = eventfd };

	return vm_ioctl(vm, KVM_PPC_BALLOON_INHIBIT, &arg);
}

static int hold(struct vm *vm)
{
	return balloon_op(vm, KVM_PPC_BALLOON_HOLD, 0);
}

static int holders(struct vm *vm)
{
	return vm_has_ext(vm, KVM_CAP_PPC_BALLOON_INHIBIT);
}

static unsigned long counter(struct vm *vm, const char *name)
{
	return vm_counter(vm, "balloon", name);
}

FIXTURE(balloon)
{
	struct vm *vm;
	unsigned long page;
	void *mem;
};

FIXTURE_SETUP(balloon)
{
	const char *why = vmm_lacks(ROAD_IOCTL);

	if (why)
		SKIP(return, "%s", why);
	self->vm = vm_create(.order = ORDER);
	if (!(vm_has_ext(self->vm, KVM_CAP_PPC_HV_EXT) &
	      KVM_PPC_HV_EXT_BALLOON_INHIBIT))
		SKIP(return, "no balloon inhibit: kvm-hv-ext is not loaded");
	self->page = sysconf(_SC_PAGESIZE);
}

FIXTURE_TEARDOWN(balloon)
{
	if (self->vm)
		vm_destroy(self->vm);
}

/* Lines of the log since last time. */
static unsigned int alarms(int log)
{
	unsigned int n = 0;
	char rec[2048];
	ssize_t len;

	while ((len = read(log, rec, sizeof(rec) - 1)) > 0) {
		rec[len] = 0;
		n += !!strstr(rec, "while ballooning is inhibited");
	}
	return n;
}

/*
 * Takes a page away until that is told. The kernel lets only a few lines through
 * every five seconds.
 */
static unsigned int alarmed(int log, char *mem, unsigned long page)
{
	unsigned long long end = now_us() + 20000000;
	unsigned int n;

	while (!(n = alarms(log)) && now_us() < end) {
		*mem = 1;
		if (madvise(mem, page, MADV_DONTNEED))
			die("MADV_DONTNEED: %s", strerror(errno));
		pause_us(10000);
	}
	return n;
}

#define VMS	30u

/*
 * What a VMM can do as often as it likes fills nobody's log. This runs last: the
 * harness goes from the end of the file to its beginning.
 */
TEST_F(balloon, alarms_are_rationed)
{
	int log = kmsg_open(), fd[VMS];
	struct vm *vm[VMS];
	char *mem[VMS];
	unsigned int i, n;

	for (i = 0; i < VMS; i++) {
		vm[i] = vm_create(.order = HPT_MIN_ORDER);
		mem[i] = memory_map(MEM_ANON, MIB, 0);
		vm_slot_use(vm[i], SLOT, SLOT_GPA, MIB, mem[i]);
		memset(mem[i], 1, MIB);
		fd[i] = hold(vm[i]);
		ASSERT_LE(0, fd[i]);
	}
	/* All within the time for which lines are counted, on a slow host, too. */
	for (i = 0; i < VMS; i++)
		madvise(mem[i], MIB, MADV_DONTNEED);
	for (i = 0; i < VMS; i++) {
		EXPECT_EQ(1, counter(vm[i], "violations"));
		close(fd[i]);
		vm_destroy(vm[i]);
	}
	n = alarms(log);
	TH_LOG("%u lines for %u VMs", n, VMS);
	EXPECT_GT(VMS, n);
	close(log);
}

TEST_F(balloon, nested)
{
	int fd[3], copy, i;

	EXPECT_EQ(0, holders(self->vm));
	for (i = 0; i < 3; i++) {
		fd[i] = hold(self->vm);
		ASSERT_LE(0, fd[i]);
		EXPECT_EQ(i + 1, holders(self->vm));
	}
	EXPECT_EQ(3, counter(self->vm, "fd"));
	copy = dup(fd[0]);
	close(fd[0]);
	EXPECT_EQ(3, holders(self->vm));
	close(copy);
	EXPECT_EQ(2, holders(self->vm));
	close(fd[2]);
	close(fd[1]);
	EXPECT_EQ(0, holders(self->vm));
}

TEST_F(balloon, killed_holder)
{
	int fd = hold(self->vm), kept = hold(self->vm), status;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, kept);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(kept);
		for (;;)
			pause();
	}
	close(fd);
	EXPECT_EQ(2, holders(self->vm));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(1, holders(self->vm));
	close(kept);
	EXPECT_EQ(0, holders(self->vm));
}

/* A descriptor outlives the VM's own, as all of KVM's do. */
TEST_F(balloon, holder_outlives_vm)
{
	int fd = hold(self->vm), log = kmsg_open();

	ASSERT_LE(0, fd);
	EXPECT_GUEST_RUNS(&self->vm->vcpu[0]);
	vm_destroy(self->vm);
	self->vm = NULL;
	close(fd);
	EXPECT_EQ(0, kmsg_complaints(log));
	close(log);
}

static u64 told(int efd)
{
	u64 n = 0;

	if (read(efd, &n, sizeof(n)) != sizeof(n))
		return 0;
	return n;
}

TEST_F(balloon, eventfd)
{
	int efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), a, b;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, balloon_op(self->vm, KVM_PPC_BALLOON_NOTIFY, efd));
	EXPECT_EQ(0, told(efd));
	a = hold(self->vm);
	EXPECT_EQ(1, told(efd));
	b = hold(self->vm);
	EXPECT_EQ(0, told(efd));
	close(a);
	EXPECT_EQ(0, told(efd));
	close(b);
	EXPECT_EQ(1, told(efd));
	a = hold(self->vm);
	close(a);
	EXPECT_EQ(2, told(efd));
	ASSERT_EQ(0, balloon_op(self->vm, KVM_PPC_BALLOON_NOTIFY, -1));
	a = hold(self->vm);
	close(a);
	EXPECT_EQ(0, told(efd));
	close(efd);
}

TEST_F(balloon, arguments)
{
	struct kvm_ppc_balloon_inhibit arg = { 0 };
	unsigned int i;

	EXPECT_EQ(-EINVAL, balloon_op(self->vm, 2, -1));
	EXPECT_EQ(-EINVAL, balloon_op(self->vm, ~0u, -1));
	EXPECT_EQ(-EBADF, balloon_op(self->vm, KVM_PPC_BALLOON_NOTIFY, 12345));
	/* Not an eventfd. */
	EXPECT_EQ(-EINVAL, balloon_op(self->vm, KVM_PPC_BALLOON_NOTIFY,
				      self->vm->fd));
	for (i = 0; i < ARRAY_SIZE(arg.reserved); i++) {
		memset(&arg, 0, sizeof(arg));
		arg.reserved[i] = 1;
		EXPECT_EQ(-EINVAL, vm_ioctl(self->vm, KVM_PPC_BALLOON_INHIBIT,
					    &arg));
	}
	EXPECT_EQ(-EFAULT, vm_ioctl(self->vm, KVM_PPC_BALLOON_INHIBIT,
				    (void *)8));
	EXPECT_EQ(0, holders(self->vm));
}

/* While a resize is in force the module itself holds. */
TEST_F(balloon, resize_holds)
{
	struct vcpu *vcpu = &self->vm->vcpu[0];
	unsigned long long end;

	EXPECT_GUEST_RUNS(vcpu);
	ASSERT_EQ(0, resize_prepare(vcpu, ORDER + 1));
	EXPECT_EQ(1, holders(self->vm));
	EXPECT_EQ(1, counter(self->vm, "resize"));
	EXPECT_EQ(0, resize_prepare_once(vcpu, 0, 0));
	EXPECT_EQ(0, holders(self->vm));

	ASSERT_EQ(0, resize(vcpu, ORDER + 1));
	/* The old table is worked up in the background. */
	end = now_us() + 10000000;
	while (holders(self->vm) && now_us() < end)
		pause_us(1000);
	EXPECT_EQ(0, holders(self->vm));
}

/* A vCPU's thread is told to come out before it has run for the first time. */
static int run_with_signal(struct vcpu *vcpu)
{
	struct {
		struct kvm_signal_mask mask;
		u64 set;
	} none = { .mask.len = sizeof(none.set) };
	sigset_t set, old;
	int ret, sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGUSR1);
	if (ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &none))
		die("KVM_SET_SIGNAL_MASK: %s", strerror(errno));
	ret = ioctl(vcpu->fd, KVM_RUN, 0) ? -errno : 0;
	ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, NULL);
	sigwait(&set, &sig);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return ret;
}

/* Until it is noticed, which may take a moment to begin. */
static bool zap_is_noticed(struct vm *vm, void *mem, unsigned long size)
{
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		*(volatile char *)mem = 1;
		if (madvise(mem, size, MADV_DONTNEED))
			die("MADV_DONTNEED: %s", strerror(errno));
		if (counter(vm, "violations"))
			return true;
		pause_us(1000);
	}
	return false;
}

/* A promise of pages above the base size holds once the guest runs. */
TEST_F(balloon, promise_holds)
{
	struct kvm_enable_cap ec = { .cap = KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT };
	unsigned int shift = vm_has_ext(self->vm, ec.cap), huge;
	struct vm *vm;
	void *mem;

	if (BIT(shift) <= self->page)
		SKIP(return, "this host has no pages above its base size");
	huge = shift == 24 ? 24 : 21;
	if (shift == 24 && !huge_reserve(huge, SLOT_SIZE))
		huge = 30;
	if (!huge_reserve(huge, GIB >> (huge == 30 ? 0 : 4)))
		SKIP(return, "no huge pages to spare");
	mem = memory_map(MEM_HUGETLB, GIB >> (huge == 30 ? 0 : 4), huge);
	vm = vm_create(.order = ORDER, .memory = mem,
		       .ram = GIB >> (huge == 30 ? 0 : 4));
	ec.args[0] = shift;
	ASSERT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	EXPECT_EQ(0, holders(vm));
	EXPECT_EQ(-EINTR, run_with_signal(&vm->vcpu[0]));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	EXPECT_EQ(1, holders(vm));
	EXPECT_EQ(1, counter(vm, "promise"));
	EXPECT_TRUE(zap_is_noticed(vm, mem + vm->slot[0].size - BIT(huge),
				   BIT(huge)));
	vm_destroy(vm);
	huge_release(huge);

	/* Pages of the base size are no promise to hold to. */
	vm = vm_create(.order = ORDER);
	ec.args[0] = self->page == BIT(12) ? 12 : 16;
	ASSERT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &ec));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	EXPECT_EQ(0, holders(vm));
	vm_destroy(vm);
}

/* What is to go, and what should be counted for it. */
static void use_slot(struct vm *vm, void **mem, enum memory_kind kind,
		     unsigned int shift)
{
	*mem = memory_map(kind, SLOT_SIZE, shift);
	vm_slot_use(vm, SLOT, SLOT_GPA, SLOT_SIZE, *mem);
}

#define EXPECT_COUNTED(_events, _zapped, _split) do {			\
	EXPECT_EQ(_events, counter(self->vm, "violations"));		\
	EXPECT_EQ(_zapped, counter(self->vm, "zapped_bytes"));		\
	EXPECT_EQ(_split, counter(self->vm, "split_bytes"));		\
	EXPECT_EQ(0, counter(self->vm, "unseen"));			\
} while (0)

TEST_F(balloon, dontneed)
{
	const unsigned long page = self->page;
	int fd, log = kmsg_open();
	unsigned long events;
	char *mem;

	use_slot(self->vm, &self->mem, MEM_ANON, 0);
	mem = self->mem;
	memset(mem, 1, SLOT_SIZE);

	/* Nobody minds. */
	ASSERT_EQ(0, madvise(mem, page, MADV_DONTNEED));
	fd = hold(self->vm);
	ASSERT_LE(0, fd);
	EXPECT_COUNTED(0, 0, 0);
	/* Nothing is there any more. */
	ASSERT_EQ(0, madvise(mem, page, MADV_DONTNEED));
	EXPECT_COUNTED(0, 0, 0);

	ASSERT_EQ(0, madvise(mem + page, page, MADV_DONTNEED));
	EXPECT_COUNTED(1, page, 0);
	/* Of these five two have gone before. */
	ASSERT_EQ(0, madvise(mem, 5 * page, MADV_DONTNEED));
	EXPECT_COUNTED(2, 4 * page, 0);
	memset(mem, 1, 5 * page);
	EXPECT_COUNTED(2, 4 * page, 0);
	ASSERT_EQ(0, madvise(mem + SLOT_SIZE / 2, SLOT_SIZE / 4, MADV_DONTNEED));
	EXPECT_COUNTED(3, 4 * page + SLOT_SIZE / 4, 0);

	/* Told once. */
	EXPECT_EQ(1, alarmed(log, mem, page));
	memset(mem, 1, page);
	ASSERT_EQ(0, madvise(mem, page, MADV_DONTNEED));
	EXPECT_EQ(0, alarms(log));
	close(log);

	close(fd);
	events = counter(self->vm, "violations");
	memset(mem, 1, page);
	ASSERT_EQ(0, madvise(mem, 5 * page, MADV_DONTNEED));
	EXPECT_EQ(events, counter(self->vm, "violations"));
}

/*
 * A VMM may know nothing of all this, and the guest inflate its balloon while it
 * resizes. Nobody has promised anything.
 */
TEST_F(balloon, resize_is_no_promise)
{
	struct vcpu *vcpu = &self->vm->vcpu[0];
	const unsigned long page = self->page;
	int fd, log = kmsg_open();
	char *mem;

	use_slot(self->vm, &self->mem, MEM_ANON, 0);
	mem = self->mem;
	memset(mem, 1, SLOT_SIZE);
	EXPECT_GUEST_RUNS(vcpu);
	ASSERT_EQ(0, resize_prepare(vcpu, ORDER + 1));
	EXPECT_EQ(1, holders(self->vm));
	ASSERT_EQ(0, madvise(mem, 7 * page, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(mem + SLOT_SIZE / 2, page, MADV_DONTNEED));
	EXPECT_COUNTED(0, 0, 0);
	EXPECT_EQ(2, counter(self->vm, "resize_events"));
	EXPECT_EQ(8 * page, counter(self->vm, "resize_bytes"));
	EXPECT_EQ(0, alarms(log));

	/* With another holder it is one broken. */
	fd = hold(self->vm);
	ASSERT_LE(0, fd);
	memset(mem, 1, page);
	ASSERT_EQ(0, madvise(mem, page, MADV_DONTNEED));
	EXPECT_COUNTED(1, page, 0);
	EXPECT_EQ(2, counter(self->vm, "resize_events"));
	EXPECT_EQ(1, alarmed(log, mem, page));
	close(fd);
	EXPECT_EQ(0, resize_prepare_once(vcpu, 0, 0));
	close(log);
}

#define PAGES	256u

struct unrelated {
	char *mem;
	unsigned long page;
};

/* Page by page, as reclaim does. */
static void take_away(void *arg)
{
	struct unrelated *u = arg;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		u->mem[i * u->page] = 1;
		if (madvise(u->mem + i * u->page, u->page, MADV_DONTNEED))
			die("MADV_DONTNEED: %s", strerror(errno));
	}
}

/* To watch is cheap for memory that is nobody's, however many memslots there are. */
TEST_F_TIMEOUT(balloon, many_memslots, 300)
{
	const unsigned long page = self->page;
	unsigned int slots = scaled(4000);
	struct unrelated u = { .page = page };
	u64 idle, held;
	struct vm vm;
	int fd;

	if (!work_counted())
		SKIP(return, "this host does not count instructions");
	if (slots > 32000)
		slots = 32000;
	vm_bare(&vm, 12);
	vm_slots_apart(&vm, 0, slots, GIB);
	u.mem = memory_map(MEM_ANON, PAGES * page, 0);
	idle = work_of(take_away, &u, 5);
	fd = hold(&vm);
	ASSERT_LE(0, fd);
	held = work_of(take_away, &u, 5);
	TH_LOG("%u pages beside %u memslots: %llu instructions each, with a holder %llu",
	       PAGES, slots, (unsigned long long)idle / PAGES,
	       (unsigned long long)held / PAGES);
	/* What watches the module costs as well. */
	EXPECT_LT(held, 2 * host_slower() * idle);
	close(fd);
	close(vm.fd);
	close(vm.kvm);
}

/* All of these leave the guest its memory. */
TEST_F(balloon, harmless)
{
	const unsigned long page = self->page;
	int fd, status;
	pid_t child;
	FILE *f;
	char *mem;

	use_slot(self->vm, &self->mem, MEM_ANON, 0);
	mem = self->mem;
	memset(mem, 1, SLOT_SIZE);
	fd = hold(self->vm);
	ASSERT_LE(0, fd);

	ASSERT_EQ(0, mprotect(mem, SLOT_SIZE, PROT_READ));
	ASSERT_EQ(0, mprotect(mem, SLOT_SIZE, PROT_READ | PROT_WRITE));
	EXPECT_COUNTED(0, 0, 0);

	/* Copied on write. */
	child = fork();
	if (!child)
		for (;;)
			pause();
	memset(mem, 2, 4 * page);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	EXPECT_COUNTED(0, 0, 0);

	/* Moved. */
	f = fopen("/proc/sys/vm/compact_memory", "w");
	if (f) {
		fputs("1", f);
		fclose(f);
	}
	EXPECT_COUNTED(0, 0, 0);

	/* Memory that is nobody's. */
	mem = memory_map(MEM_ANON, SLOT_SIZE, 0);
	memset(mem, 1, SLOT_SIZE);
	memory_unmap(mem, SLOT_SIZE);
	EXPECT_COUNTED(0, 0, 0);

	/* Once it is no longer the guest's. */
	vm_slot_del(self->vm, SLOT);
	EXPECT_COUNTED(0, 0, 0);
	close(fd);
}

TEST_F(balloon, unmapped)
{
	int fd;

	use_slot(self->vm, &self->mem, MEM_ANON, 0);
	memset(self->mem, 1, 16 * self->page);
	fd = hold(self->vm);
	munmap(self->mem, 3 * self->page);
	EXPECT_COUNTED(1, 3 * self->page, 0);
	close(fd);
}

static void punch(struct __test_metadata *_metadata,
		  FIXTURE_DATA(balloon) * self, enum memory_kind kind,
		  unsigned int shift)
{
	const unsigned long page = shift ? BIT(shift) : self->page;
	unsigned int flags = MFD_CLOEXEC;
	char *mem;
	int fd, file;

	if (kind == MEM_HUGETLB_SHARED)
		flags |= MFD_HUGETLB | shift << 26;
	file = memfd_create("balloon", flags);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, SLOT_SIZE));
	mem = mmap(NULL, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, 1, SLOT_SIZE);
	vm_slot_use(self->vm, SLOT, SLOT_GPA, SLOT_SIZE, mem);

	fd = hold(self->vm);
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       page, page));
	EXPECT_COUNTED(1, page, 0);
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       0, 3 * page));
	EXPECT_EQ(3 * page, counter(self->vm, "zapped_bytes"));
	EXPECT_EQ(0, counter(self->vm, "split_bytes"));
	close(fd);
	close(file);
}

TEST_F(balloon, hole_in_memfd)
{
	punch(_metadata, self, MEM_MEMFD, 0);
}

TEST_F(balloon, hole_in_hugetlbfs)
{
	unsigned int shift = 24;

	if (!huge_reserve(shift, SLOT_SIZE))
		shift = 21;
	if (!huge_reserve(shift, SLOT_SIZE))
		SKIP(return, "this host has no huge pages to spare");
	punch(_metadata, self, MEM_HUGETLB_SHARED, shift);
	vm_destroy(self->vm);
	self->vm = NULL;
	huge_release(shift);
}

TEST_F(balloon, huge_page_split)
{
	const unsigned long page = self->page;
	unsigned long huge;
	char *mem;
	int fd;

	if (!thp_shift())
		SKIP(return, "this host has no THP");
	huge = BIT(thp_shift());
	use_slot(self->vm, &self->mem, MEM_THP, 0);
	mem = self->mem;
	memset(mem, 1, 3 * huge);
	fd = hold(self->vm);

	/* A whole one goes. */
	ASSERT_EQ(0, madvise(mem, huge, MADV_DONTNEED));
	EXPECT_COUNTED(1, huge, 0);
	/* The rest of one stays, in small pages. */
	ASSERT_EQ(0, madvise(mem + huge, page, MADV_DONTNEED));
	EXPECT_COUNTED(3, huge + page, huge);
	/* And becomes a large one again, which harms nobody. */
	mem[huge] = 1;
	if (!madvise(mem + huge, huge, MADV_COLLAPSE))
		EXPECT_COUNTED(3, huge + page, huge);
	else
		TH_LOG("no MADV_COLLAPSE: %s", strerror(errno));
	close(fd);
}

/* Whoever assigns a device holds, without having to think of it. */
TEST_F(balloon, vfio_holds)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_VFIO };
	int group = vfio_open_group();

	if (group < 0)
		SKIP(return, "no device is bound to vfio-pci");
	ASSERT_EQ(0, vm_ioctl(self->vm, KVM_CREATE_DEVICE, &dev));
	EXPECT_EQ(0, holders(self->vm));
	ASSERT_EQ(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_ADD, group));
	EXPECT_EQ(1, holders(self->vm));
	EXPECT_EQ(1, counter(self->vm, "vfio"));
	vfio_no_table(dev.fd, group);
	/* What fails holds nothing. */
	EXPECT_EQ(-EEXIST, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_ADD, group));
	EXPECT_NE(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_ADD, self->vm->fd));
	EXPECT_EQ(1, holders(self->vm));
	ASSERT_EQ(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_DEL, group));
	EXPECT_EQ(0, holders(self->vm));
	EXPECT_EQ(-ENOENT, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_DEL, group));
	EXPECT_EQ(0, holders(self->vm));

	/* With the pseudo device go its groups, at the latest with the VM. */
	ASSERT_EQ(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_ADD, group));
	EXPECT_EQ(1, holders(self->vm));
	vfio_no_table(dev.fd, group);
	close(dev.fd);
	EXPECT_GE(1, holders(self->vm));
	close(group);
}

/* What is refused holds nothing, and what is not there cannot let go. */
TEST_F(balloon, vfio_refused)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_VFIO };
	int hand = hold(self->vm);
	unsigned int i;

	if (vm_ioctl(self->vm, KVM_CREATE_DEVICE, &dev))
		SKIP(return, "this kernel has no VFIO in KVM");
	for (i = 0; i < 100; i++) {
		EXPECT_NE(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_ADD, -1));
		EXPECT_NE(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_ADD,
				       self->vm->fd));
		EXPECT_NE(0, vfio_attr(dev.fd, KVM_DEV_VFIO_GROUP_DEL, hand));
	}
	EXPECT_EQ(0, counter(self->vm, "vfio"));
	EXPECT_EQ(1, holders(self->vm));
	close(dev.fd);
	EXPECT_EQ(1, holders(self->vm));
	close(hand);
	EXPECT_EQ(0, holders(self->vm));
}

TEST_HARNESS_MAIN
