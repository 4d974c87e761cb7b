// SPDX-License-Identifier: GPL-2.0
/*
 * What backs a guest's memory is judged as the hardware will see it: page size
 * and place, whatever kind of memory, whenever it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_hv_ext.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "memory.h"
#include "vmm.h"
#include "work.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define ORDER		20
#define SIZE		(64 * MIB)
#define PLUG_GPA	(4 * GIB)
#define DEVICE_GPA	BIT(45)
#define THP_ENABLED	"/sys/kernel/mm/transparent_hugepage/enabled"

/* The largest limit of this host, and hugetlbfs that carries it. */
struct large {
	unsigned int limit;
	unsigned int shift;
	unsigned long size;	/* of a mapping */
};

/* Return: NULL, or why there is none. */
static const char *find_large(struct large *large, unsigned int mappings)
{
	static const unsigned int shifts[] = { 21, 24, 30 };
	struct vm *vm = vm_create(.order = ORDER);
	unsigned int i;

	large->limit = vm_has_ext(vm, KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT);
	vm_destroy(vm);
	if (BIT(large->limit) <= (unsigned long)sysconf(_SC_PAGESIZE))
		return "this host has no pages above its base size";
	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		large->shift = shifts[i];
		large->size = BIT(shifts[i]) > SIZE ? BIT(shifts[i]) : SIZE;
		if (shifts[i] < large->limit)
			continue;
		if (huge_reserve(shifts[i], mappings * large->size))
			return NULL;
	}
	return "this host has no huge pages to spare";
}

FIXTURE(backing)
{
	unsigned long page;
};

FIXTURE_SETUP(backing)
{
	const char *why = vmm_lacks_limit();

	if (why)
		SKIP(return, "%s", why);
	self->page = sysconf(_SC_PAGESIZE);
}

FIXTURE_TEARDOWN(backing)
{
}

/* A device's memory stays that, whether it logs or not; RAM in its place is RAM. */
TEST_F(backing, frame_buffer)
{
	struct large large;
	const char *why = find_large(&large, 1);
	struct vm *vm;
	void *mem;

	if (why)
		SKIP(return, "%s", why);
	mem = memory_map(MEM_HUGETLB, large.size, large.shift);
	vm = vm_create(.order = ORDER, .ram = large.size, .memory = mem);
	/* The memslot comes before the limit. */
	vm_slot_add(vm, 1, DEVICE_GPA, SIZE, 0, KVM_MEM_LOG_DIRTY_PAGES);
	ASSERT_EQ(0, vm_set_limit(vm, large.limit, 0));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);

	ASSERT_EQ(0, vm_slot_set(vm, 1, DEVICE_GPA, 0));
	ASSERT_EQ(0, vm_slot_set(vm, 1, DEVICE_GPA + SIZE, 0));
	ASSERT_EQ(0, vm_alloc_htab(vm, ORDER));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);

	EXPECT_EQ(-EINVAL, vm_slot_set(vm, 1, PLUG_GPA, 0));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vm_destroy(vm);

	/* Memory that logs from the beginning and comes before the limit. */
	mem = memory_map(MEM_HUGETLB, large.size, large.shift);
	vm = vm_create(.order = ORDER, .ram = large.size, .memory = mem);
	vm_slot_add(vm, 1, PLUG_GPA, SIZE, 0, KVM_MEM_LOG_DIRTY_PAGES);
	ASSERT_EQ(0, vm_set_limit(vm, large.limit, 0));
	ASSERT_EQ(-1, ioctl(vm->vcpu[0].fd, KVM_RUN, 0));
	EXPECT_EQ(EINVAL, errno);
	vm_destroy(vm);
	huge_release(large.shift);
}

static int ask(struct vm *vm, unsigned long gpa, void *mem, unsigned long size,
	       u64 flags)
{
	struct kvm_ppc_check_memory arg = {
		.guest_addr = gpa,
		.host_addr = (unsigned long)mem,
		.size = size,
		.flags = flags,
	};

	return vm_ioctl(vm, KVM_PPC_CHECK_MEMORY, &arg);
}

/* Asked first, then done, in a VM with a memslot at 1 GiB. */
#define EXPECT_AS_ASKED(_expected, _gpa, _mem, _size, _flags) do {	\
	struct kvm_userspace_memory_region _region = {			\
		.slot = 1,						\
		.flags = _flags,					\
		.guest_phys_addr = _gpa,				\
		.memory_size = _size,					\
		.userspace_addr = (unsigned long)(_mem),		\
	};								\
	EXPECT_EQ(_expected, ask(&vm, _gpa, _mem, _size, _flags));	\
	EXPECT_EQ(_expected, vm_ioctl(&vm, KVM_SET_USER_MEMORY_REGION,	\
				      &_region));			\
	_region.memory_size = 0;					\
	if (!(_expected))						\
		ASSERT_EQ(0, vm_ioctl(&vm, KVM_SET_USER_MEMORY_REGION,	\
				      &_region));			\
} while (0)

static void same_answers(struct __test_metadata *_metadata, unsigned int limit,
			 int base_pages)
{
	const unsigned long page = sysconf(_SC_PAGESIZE);
	void *mem = memory_map(MEM_ANON, SIZE, 0);
	struct kvm_userspace_memory_region other = {
		.slot = 2,
		.guest_phys_addr = DEVICE_GPA,
		.memory_size = SIZE,
		.userspace_addr = (unsigned long)mem,
	};
	struct vm vm;

	vm_bare(&vm, limit);
	ASSERT_EQ(0, vm_ioctl(&vm, KVM_SET_USER_MEMORY_REGION, &other));

	EXPECT_AS_ASKED(base_pages, PLUG_GPA, mem, SIZE, 0);
	EXPECT_AS_ASKED(base_pages, PLUG_GPA, mem, SIZE, KVM_MEM_LOG_DIRTY_PAGES);
	EXPECT_AS_ASKED(base_pages, PLUG_GPA, mem, page, 0);
	EXPECT_AS_ASKED(0, DEVICE_GPA + SIZE, mem, SIZE, 0);
	/* No mapping. */
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, mem + SIZE, SIZE, 0);
	/* Taken, in whole or in part. */
	EXPECT_AS_ASKED(-EEXIST, DEVICE_GPA, mem, SIZE, 0);
	EXPECT_AS_ASKED(-EEXIST, DEVICE_GPA - page, mem, 2 * page, 0);
	EXPECT_AS_ASKED(-EEXIST, DEVICE_GPA + SIZE - page, mem, SIZE, 0);
	/* What no memslot is like. */
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA + 1, mem, SIZE, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, mem + 1, SIZE, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, mem, SIZE + 1, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, mem, SIZE, 1u << 31);
	EXPECT_AS_ASKED(-EINVAL, -page, mem, 2 * page, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, mem, BIT(31) * page, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, (void *)(-SIZE), SIZE, 0);
	EXPECT_EQ(-EINVAL, ask(&vm, PLUG_GPA, mem, 0, 0));
	close(vm.fd);
	close(vm.kvm);
	memory_unmap(mem, SIZE);
}

/* A VMM that would end with a memslot that is refused can ask first. */
TEST_F(backing, asked_beforehand)
{
	struct kvm_ppc_check_memory arg;
	unsigned int i;
	struct vm vm;

	same_answers(_metadata, 34, -EINVAL);
	same_answers(_metadata, 12, 0);

	vm_bare(&vm, 12);
	EXPECT_TRUE(vm_has_ext(&vm, KVM_CAP_PPC_HV_EXT) &
		    KVM_PPC_HV_EXT_CHECK_MEMORY);
	EXPECT_EQ(-EFAULT, vm_ioctl(&vm, KVM_PPC_CHECK_MEMORY, (void *)8));
	for (i = 0; i < ARRAY_SIZE(arg.reserved); i++) {
		memset(&arg, 0, sizeof(arg));
		arg.reserved[i] = 1;
		EXPECT_EQ(-EINVAL, vm_ioctl(&vm, KVM_PPC_CHECK_MEMORY, &arg));
	}
	close(vm.fd);
	close(vm.kvm);
}

/* Large pages pass, and are neither taken nor touched by the question. */
TEST_F(backing, asked_beforehand_large)
{
	struct large large;
	const char *why = find_large(&large, 1);
	struct vm vm;
	char *mem;

	if (why)
		SKIP(return, "%s", why);
	mem = memory_map(MEM_HUGETLB, large.size, large.shift);
	vm_bare(&vm, large.limit);
	EXPECT_AS_ASKED(0, PLUG_GPA, mem, large.size, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA + self->page, mem, large.size / 2, 0);
	EXPECT_AS_ASKED(-EINVAL, PLUG_GPA, mem + self->page, large.size / 2, 0);
	close(vm.fd);
	close(vm.kvm);
	memory_unmap(mem, large.size);
	huge_release(large.shift);
}

/* Who asks has to be the VM's own process, as for all of its ioctls. */
TEST_F(backing, asked_by_another)
{
	struct kvm_ppc_check_memory arg = { .size = 0 };
	struct vm vm;
	int status;
	pid_t child;

	vm_bare(&vm, 12);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(vm_ioctl(&vm, KVM_PPC_CHECK_MEMORY, &arg) == -EIO ? 0 : 1);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	close(vm.fd);
	close(vm.kvm);
}

/* Large pages that lie another way in the guest are of no use to it. */
TEST_F(backing, alignment)
{
	unsigned long off, part;
	struct large large;
	const char *why = find_large(&large, 1);
	char *mem;

	if (why)
		SKIP(return, "%s", why);
	mem = memory_map(MEM_HUGETLB, large.size, large.shift);
	part = large.size / 2;

	EXPECT_EQ(0, memory_fits(large.limit, PLUG_GPA, mem, part));
	for (off = self->page; off < BIT(large.limit); off *= 2) {
		const unsigned int ok = large.limit == 24 && off >= BIT(16);

		/* Host address, guest address, and both the same way. */
		EXPECT_EQ(-EINVAL, memory_fits(large.limit, PLUG_GPA,
					       mem + off, part));
		EXPECT_EQ(-EINVAL, memory_fits(large.limit, PLUG_GPA + off,
					       mem, part));
		EXPECT_EQ(-EINVAL, memory_fits(large.limit, PLUG_GPA + off,
					       mem + off, part));
		EXPECT_EQ(-EINVAL, memory_fits(large.limit, PLUG_GPA, mem,
					       part + off));
		/* A smaller limit takes what is aligned for that... */
		if (!ok)
			continue;
		EXPECT_EQ(0, memory_fits(16, PLUG_GPA, mem + off, part));
		/* ... but real mode is mapped in pages as large as there are. */
		EXPECT_EQ(-EINVAL, memory_fits(16, 0, mem + off, part));
	}
	EXPECT_EQ(0, memory_fits(large.limit, 0, mem, part));
	EXPECT_EQ(0, memory_fits(16, 0, mem, part));
	memory_unmap(mem, large.size);
	huge_release(large.shift);
}

static volatile u64 guest_stop, guest_rounds;

static u64 guest_work(u64 a, u64 b)
{
	while (!guest_stop)
		guest_rounds++;
	return guest_rounds;
}

/* Memory that will not do is refused; here the VMM, and so the guest, goes on. */
TEST_F(backing, hotplug)
{
	struct kvm_userspace_memory_region region = {
		.slot = 2,
		.guest_phys_addr = PLUG_GPA,
		.memory_size = SIZE,
	};
	struct large large;
	const char *why = find_large(&large, 2);
	void *ram, *good, *bad;
	struct vcpu *vcpu;
	struct vm *vm;
	u64 before;

	if (why)
		SKIP(return, "%s", why);
	ram = memory_map(MEM_HUGETLB, large.size, large.shift);
	good = memory_map(MEM_HUGETLB, large.size, large.shift);
	bad = memory_map(MEM_ANON, SIZE, 0);
	vm = vm_create(.order = ORDER, .ram = large.size, .memory = ram);
	vcpu = &vm->vcpu[0];
	ASSERT_EQ(0, vm_set_limit(vm, large.limit, 0));
	vcpu_start(vcpu, guest_work, 0, 0);
	while (!*vm_guest(vm, guest_rounds))
		pause_us(1000);

	region.userspace_addr = (unsigned long)bad;
	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	before = *vm_guest(vm, guest_rounds);
	while (*vm_guest(vm, guest_rounds) == before)
		pause_us(1000);
	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));

	region.userspace_addr = (unsigned long)good;
	EXPECT_EQ(0, vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	/* Moved to where it does not fit, and to where it does. */
	region.guest_phys_addr = PLUG_GPA + self->page;
	EXPECT_EQ(-EINVAL, vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
	region.guest_phys_addr = 2 * PLUG_GPA;
	EXPECT_EQ(0, vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));

	*vm_guest(vm, guest_stop) = 1;
	EXPECT_LT(before, vcpu_join(vcpu));
	vm_destroy(vm);
	memory_unmap(good, large.size);
	memory_unmap(bad, SIZE);
	huge_release(large.shift);
}

/* What was fine when the memslot came may not be when the guest starts. */
TEST_F(backing, changed_before_first_run)
{
	struct large large;
	const char *why = find_large(&large, 2);
	unsigned long huge, hole;
	struct vcpu *vcpu;
	struct vm *vm;
	char *ram;

	if (why)
		SKIP(return, "%s", why);
	huge = BIT(large.shift);
	ram = memory_map(MEM_HUGETLB, 2 * large.size, large.shift);
	vm = vm_create(.order = ORDER, .ram = 2 * large.size, .memory = ram);
	vcpu = &vm->vcpu[0];
	ASSERT_EQ(0, vm_set_limit(vm, large.limit, 0));
	hole = 2 * large.size - huge;
	munmap(ram + hole, huge);
	ASSERT_EQ(-1, ioctl(vcpu->fd, KVM_RUN, 0));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(-1, ioctl(vcpu->fd, KVM_RUN, 0));
	EXPECT_EQ(EINVAL, errno);

	/* Mended, it goes. */
	ASSERT_EQ(ram + hole, mmap(ram + hole, huge, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
				   MAP_HUGETLB | large.shift << 26, -1, 0));
	EXPECT_GUEST_RUNS(vcpu);
	vm_destroy(vm);
	huge_release(large.shift);
}

static void thp_setting(const char *word)
{
	FILE *f = fopen(THP_ENABLED, "w");

	if (!f || fputs(word, f) < 0 || fclose(f))
		die("%s: %s", THP_ENABLED, strerror(errno));
}

static const char *thp_now(void)
{
	static const char *const words[] = { "always", "madvise", "never" };
	char line[64] = "", want[16];
	FILE *f = fopen(THP_ENABLED, "r");
	unsigned int i;

	if (!f || !fgets(line, sizeof(line), f))
		die("%s: %s", THP_ENABLED, strerror(errno));
	fclose(f);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(want, sizeof(want), "[%s]", words[i]);
		if (strstr(line, want))
			return words[i];
	}
	die("%s: %s", THP_ENABLED, line);
}

/* THP counts as far as it is really there. */
TEST_F(backing, thp)
{
	unsigned int limit = thp_limit();
	const unsigned long huge = BIT(thp_shift());
	const char *was;
	char *mem;

	if (!limit)
		SKIP(return, "no THP that makes a difference on this host");
	was = thp_now();

	/* Nothing there yet, then all of it. */
	mem = memory_map(MEM_THP, SIZE, 0);
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, SIZE));
	memset(mem, 1, SIZE);
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, SIZE));
	/* A limit that it does not reach. */
	if (limit < 24)
		EXPECT_EQ(-EINVAL, memory_fits(24, PLUG_GPA, mem, SIZE));
	/* Part of a huge page given back: the rest is in small ones. */
	ASSERT_EQ(0, madvise(mem + huge, self->page, MADV_DONTNEED));
	EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem, SIZE));
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, huge));
	/* Nothing is left of it but a page table, and so only small ones can come. */
	ASSERT_EQ(0, madvise(mem + huge, huge, MADV_DONTNEED));
	EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem, SIZE));
	/* With a fresh huge page it is well again. */
	mem[huge] = 1;
	ASSERT_EQ(0, madvise(mem + huge, huge, MADV_COLLAPSE));
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, SIZE));
	memory_unmap(mem, SIZE);

	/* Small pages that were there before the advice. */
	mem = memory_map(MEM_ANON, SIZE, 0);
	mem[5 * self->page] = 1;
	ASSERT_EQ(0, madvise(mem, SIZE, MADV_HUGEPAGE));
	EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem, SIZE));
	memory_unmap(mem, SIZE);

	/* Without the advice there is nothing to count on. */
	mem = memory_map(MEM_ANON, SIZE, 0);
	EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem, SIZE));
	memory_unmap(mem, SIZE);

	/* No room for a huge page at the end. */
	mem = memory_map(MEM_THP, SIZE, 0);
	munmap(mem + SIZE - BIT(limit), BIT(limit));
	if (limit < thp_shift())
		EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem,
					       SIZE - BIT(limit)));
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, SIZE - huge));
	memory_unmap(mem, SIZE);

	/* The host has been told not to. */
	thp_setting("never");
	mem = memory_map(MEM_THP, SIZE, 0);
	EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem, SIZE));
	memory_unmap(mem, SIZE);
	thp_setting(was);
}

/* Memory whose pages come from user space, of which there is nobody. */
static int uffd_register(void *mem, unsigned long size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (unsigned long)mem, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (uffd >= 0 && (ioctl(uffd, UFFDIO_API, &api) ||
			  ioctl(uffd, UFFDIO_REGISTER, &reg)))
		die("userfaultfd: %s", strerror(errno));
	return uffd;
}

/* userfaultfd brings base pages. It is not waited for to see. */
TEST_F(backing, thp_by_userfaultfd)
{
	unsigned int limit = thp_limit();
	char *mem;
	int uffd;

	if (!limit)
		SKIP(return, "no THP that makes a difference on this host");
	mem = memory_map(MEM_THP, SIZE, 0);
	uffd = uffd_register(mem, SIZE);
	if (uffd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	EXPECT_EQ(-EINVAL, memory_fits(limit, PLUG_GPA, mem, SIZE));
	close(uffd);
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, SIZE));

	/* What is there already needs no more. */
	memset(mem, 1, SIZE);
	uffd = uffd_register(mem, SIZE);
	EXPECT_EQ(0, memory_fits(limit, PLUG_GPA, mem, SIZE));
	close(uffd);
	memory_unmap(mem, SIZE);
}

/* Lines of the log so far that say this of huge pages. */
static unsigned int told(int log, const char *what)
{
	unsigned int n = 0;
	char rec[2048];
	ssize_t len;

	while ((len = read(log, rec, sizeof(rec) - 1)) > 0) {
		rec[len] = 0;
		n += strstr(rec, "will not come back") && strstr(rec, what);
	}
	return n;
}

/* A VM with a limit that only THP carries. */
static struct vm *thp_vm(unsigned int limit, char **mem)
{
	struct vm *vm;

	*mem = memory_map(MEM_THP, SIZE, 0);
	memset(*mem, 1, SIZE);
	vm = vm_create(.order = ORDER, .memory = *mem, .ram = SIZE);
	if (vm_set_limit(vm, limit, 0))
		die("no limit of %u", limit);
	return vm;
}

/* It is told before the guest is lost, once, and why. */
TEST_F(backing, thp_going)
{
	unsigned int limit = thp_limit(), tries;
	const unsigned long huge = BIT(thp_shift());
	int log = kmsg_open(), uffd;
	struct vm *vm;
	char *mem;

	if (!limit)
		SKIP(return, "no THP that makes a difference on this host");

	/* As QEMU does when a migration that may end as post-copy begins. */
	vm = thp_vm(limit, &mem);
	EXPECT_EQ(0, told(log, ""));
	for (tries = 0; tries < 1000; tries++) {
		/* It may take a moment until it is watched. */
		mem[SIZE - 1] = 1;
		ASSERT_EQ(0, madvise(mem + SIZE - huge, huge, MADV_DONTNEED));
		if (told(log, "before the guest has run"))
			break;
		pause_us(1000);
	}
	EXPECT_GT(1000, tries);
	mem[SIZE - 1] = 1;
	ASSERT_EQ(0, madvise(mem + SIZE - huge, huge, MADV_DONTNEED));
	EXPECT_EQ(0, told(log, ""));
	vm_destroy(vm);

	/* Under a guest that runs. */
	vm = thp_vm(limit, &mem);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	ASSERT_EQ(0, madvise(mem + SIZE - huge, huge, MADV_DONTNEED));
	EXPECT_EQ(0, told(log, ""));
	mem[SIZE - 1] = 1;
	uffd = uffd_register(mem + SIZE - huge, huge);
	if (uffd >= 0) {
		ASSERT_EQ(0, madvise(mem + SIZE - huge, huge, MADV_DONTNEED));
		EXPECT_EQ(1, told(log, "userfaultfd"));
	}
	vm_destroy(vm);
	close(uffd);

	vm = thp_vm(limit, &mem);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	ASSERT_EQ(0, madvise(mem, SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, madvise(mem + SIZE - huge, self->page, MADV_DONTNEED));
	EXPECT_EQ(1, told(log, "MADV_HUGEPAGE"));
	ASSERT_EQ(0, madvise(mem + SIZE - huge, huge, MADV_DONTNEED));
	EXPECT_EQ(0, told(log, ""));
	vm_destroy(vm);

	/* Whom it does not matter. */
	mem = memory_map(MEM_THP, SIZE, 0);
	memset(mem, 1, SIZE);
	vm = vm_create(.order = ORDER, .memory = mem, .ram = SIZE);
	ASSERT_EQ(0, vm_set_limit(vm, 12, 0));
	ASSERT_EQ(0, madvise(mem + SIZE - huge, huge, MADV_DONTNEED));
	EXPECT_EQ(0, told(log, ""));
	vm_destroy(vm);
	close(log);
}

/* One line of debugfs: the memslot's, of which there is to be just one. */
struct line {
	unsigned long gpa, size, page, misaligned;
	char kind[32];
	int thp;
	char sizes[128];
};

static bool backing_line(struct vm *vm, int slot, struct line *line)
{
	FILE *f = vm_shown_open(vm, "backing");
	int at, id, n = 0;
	char text[512];

	while (fgets(text, sizeof(text), f)) {
		if (sscanf(text, "%d %n", &id, &at) != 1 || id != slot)
			continue;
		memset(line, 0, sizeof(*line));
		if (sscanf(text + at, "%lx %lx %31s %lu %d %lx%127[^\n]",
			   &line->gpa, &line->size, line->kind, &line->page,
			   &line->thp, &line->misaligned, line->sizes) < 6)
			die("cannot read: %s", text);
		n++;
	}
	fclose(f);
	return n == 1;
}

static void check_line(struct __test_metadata *_metadata, enum memory_kind kind,
		       unsigned int shift, const char *name, int thp,
		       unsigned int present)
{
	const unsigned long page = shift ? BIT(shift) :
					   (unsigned long)sysconf(_SC_PAGESIZE);
	struct vm *vm = vm_create(.order = ORDER);
	struct line line;
	char sizes[64];
	char *mem = memory_map(kind, SIZE, shift);

	vm_slot_use(vm, 1, GIB, SIZE, mem);
	ASSERT_TRUE(backing_line(vm, 1, &line));
	EXPECT_EQ(GIB, line.gpa);
	EXPECT_EQ(SIZE, line.size);
	EXPECT_STREQ(name, line.kind);
	EXPECT_EQ(page, line.page);
	EXPECT_EQ(thp, line.thp);
	EXPECT_EQ(0, line.misaligned);
	EXPECT_STREQ("", line.sizes);

	memset(mem, 1, SIZE / 4);
	ASSERT_TRUE(backing_line(vm, 1, &line));
	snprintf(sizes, sizeof(sizes), " %lu:%lu", BIT(present), SIZE / 4);
	EXPECT_STREQ(sizes, line.sizes);
	vm_destroy(vm);
}

struct question {
	struct vm *vm;
	void *mem;
	unsigned long size;
	int answer;
};

static void ask_vast(void *arg)
{
	struct question *q = arg;

	q->answer = ask(q->vm, PLUG_GPA, q->mem, q->size, 0);
}

/*
 * More address space than anybody has memory for takes no longer to look at than the
 * memory in it. Asked, as stock KVM makes something of its own for each page.
 */
TEST_F(backing, vast_memory)
{
	struct question q = { .size = BIT(30) * self->page };
	unsigned long most = 0, i;
	struct vm vm;
	u64 work;
	char *mem;

	if (!thp_shift())
		SKIP(return, "this host has no THP");
	if (!work_counted())
		SKIP(return, "this host does not count instructions");
	mem = memory_map(MEM_THP, q.size, 0);
	vm_bare(&vm, 24);
	q.vm = &vm;
	q.mem = mem;
	/* Here and there is some. */
	for (i = 0; i < 32; i++) {
		mem[q.size / 32 * i] = 1;
		work = work_of(ask_vast, &q, 1);
		most = work > most ? work : most;
	}
	TH_LOG("answer %d, %lu instructions at most", q.answer, most);
	EXPECT_EQ(thp_shift() == 24 ? 0 : -EINVAL, q.answer);
	/* One for each page would be some 10^10. */
	EXPECT_GT(100000000ul * host_slower(), most);
	close(vm.fd);
	close(vm.kvm);
	memory_unmap(mem, q.size);
}

/* Every kind is told from the others, and what is there is counted. */
TEST_F(backing, kinds)
{
	unsigned int base = __builtin_ctzl(self->page), huge = 21;

	check_line(_metadata, MEM_ANON, 0, "anonymous", 0, base);
	check_line(_metadata, MEM_MEMFD, 0, "shared", 0, base);
	check_line(_metadata, MEM_FILE, 0, "private-file", 0, base);
	if (thp_shift())
		check_line(_metadata, MEM_THP, 0, "anonymous", 1, thp_shift());
	if (!huge_reserve(huge, SIZE))
		huge = 24;
	if (!huge_reserve(huge, SIZE))
		return;
	check_line(_metadata, MEM_HUGETLB, huge, "hugetlb-private", 0, huge);
	check_line(_metadata, MEM_HUGETLB_SHARED, huge, "hugetlb-shared", 0,
		   huge);
	huge_release(huge);
}

/* Without a limit such a memslot is welcome, but it shows. */
TEST_F(backing, misaligned_bytes)
{
	struct line line;
	struct vm *vm;
	char *mem;

	if (!thp_limit())
		SKIP(return, "no THP that makes a difference on this host");
	vm = vm_create(.order = ORDER);
	mem = memory_map(MEM_THP, SIZE, 0);
	vm_slot_use(vm, 1, GIB + self->page, SIZE, mem);
	ASSERT_TRUE(backing_line(vm, 1, &line));
	EXPECT_EQ(SIZE, line.misaligned);
	vm_destroy(vm);
}

/* The reason is in the log, once in a while at least. */
TEST_F(backing, log_line)
{
	unsigned long long end = now_us() + 20000000;
	int log = kmsg_open(), ret, seen = 0;
	char rec[2048], size[64];
	void *mem = memory_map(MEM_ANON, SIZE, 0);
	ssize_t len;

	snprintf(size, sizeof(size), "has pages of %lu bytes", self->page);
	do {
		ret = memory_fits(34, PLUG_GPA, mem, SIZE);
		ASSERT_EQ(-EINVAL, ret);
		while ((len = read(log, rec, sizeof(rec) - 1)) > 0) {
			rec[len] = 0;
			seen += strstr(rec, "memslot 0: anonymous") &&
				strstr(rec, size) &&
				strstr(rec, "the limit needs 17179869184");
		}
		/* The kernel lets a few lines through every five seconds. */
		if (!seen)
			pause_us(200000);
	} while (!seen && now_us() < end);
	EXPECT_EQ(1, seen);
	memory_unmap(mem, SIZE);
	close(log);
}

TEST_HARNESS_MAIN
