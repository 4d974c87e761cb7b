// SPDX-License-Identifier: GPL-2.0
/* Memory of all the kinds that can be behind a guest's, and the page-size limit. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_hv_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "hpt.h"
#include "memory.h"
#include "vmm.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT	26
#endif

/* Mappings begin at a multiple of the largest page worth having, 1 GiB. */
#define MEMORY_ALIGN	BIT(30)

static const char *huge_file(unsigned int shift, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%lukB/%s",
		 BIT(shift) / 1024, name);
	return path;
}

/* By their shift: how many there were, plus 1; 0 if nobody has asked yet. */
static long huge_before[64];

/**
 * huge_release() - leave the host the huge pages of a size that it had before
 * @shift: their size
 */
void huge_release(unsigned int shift)
{
	if (huge_before[shift] > 0)
		file_set_number(huge_file(shift, "nr_hugepages"),
				huge_before[shift] - 1);
}

/**
 * huge_reserve() - see that there are free huge pages
 * @shift: their size
 * @size: bytes to have
 *
 * Takes them from the host's memory if need be; huge_release() gives those back.
 *
 * Return: false if this host has no such pages, or not as many.
 */
bool huge_reserve(unsigned int shift, unsigned long size)
{
	long want = size >> shift, have, lack;

	if (!huge_before[shift])
		huge_before[shift] =
			file_number(huge_file(shift, "nr_hugepages")) + 1;
	have = file_number(huge_file(shift, "free_hugepages"));
	if (have < 0)
		return false;
	lack = want - have;
	if (lack > 0) {
		have = file_number(huge_file(shift, "nr_hugepages"));
		file_set_number(huge_file(shift, "nr_hugepages"), have + lack);
	}
	if (file_number(huge_file(shift, "free_hugepages")) >= want)
		return true;
	huge_release(shift);
	return false;
}

/**
 * thp_shift() - the size of transparent huge pages
 *
 * Return: log2 of it, 0 if this host has none or was told not to use them.
 */
unsigned int thp_shift(void)
{
	static const char enabled[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	long size = file_number("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
	char line[64] = "";
	FILE *f = fopen(enabled, "r");

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	if (size <= 0 || strstr(line, "[never]"))
		return 0;
	return __builtin_ctzl(size);
}

/**
 * thp_limit() - the largest limit that transparent huge pages carry
 *
 * Return: a guest page shift, or 0 if pages of the base size carry that as well.
 */
unsigned int thp_limit(void)
{
	unsigned int limit = thp_shift() == 21 ? 16 : thp_shift();

	return limit && BIT(limit) > sysconf(_SC_PAGESIZE) ? limit : 0;
}

static int memory_fd(enum memory_kind kind, unsigned long size,
		     unsigned int shift)
{
	unsigned int flags = MFD_CLOEXEC;
	int fd;

	if (kind == MEM_HUGETLB_SHARED)
		flags |= MFD_HUGETLB | shift << MAP_HUGE_SHIFT;
	fd = memfd_create("guest memory", flags);
	if (fd < 0 || ftruncate(fd, size))
		die("memfd of %#lx bytes: %s", size, strerror(errno));
	return fd;
}

/**
 * memory_map() - make memory
 * @kind: what kind
 * @size: bytes
 * @shift: page size of hugetlbfs; huge_reserve() has seen to it
 *
 * Nothing of it is touched yet. It is aligned to 1 GiB, or with hugetlbfs to what
 * that gives: in hash mode the kernel has to choose a place by page size.
 *
 * Return: where it is.
 */
void *memory_map(enum memory_kind kind, unsigned long size, unsigned int shift)
{
	bool huge = kind == MEM_HUGETLB || kind == MEM_HUGETLB_SHARED;
	int fd = -1, flags = huge ? 0 : MAP_NORESERVE | MAP_FIXED;
	unsigned long area = 0;
	void *mem;

	if (kind == MEM_MEMFD || kind == MEM_FILE || kind == MEM_HUGETLB_SHARED)
		fd = memory_fd(kind, size, shift);
	flags |= fd < 0 ? MAP_ANONYMOUS : 0;
	flags |= kind == MEM_MEMFD || kind == MEM_HUGETLB_SHARED ? MAP_SHARED :
								    MAP_PRIVATE;
	if (kind == MEM_HUGETLB)
		flags |= MAP_HUGETLB | shift << MAP_HUGE_SHIFT;

	if (!huge) {
		/* Apart from others, so that nothing merges with it. */
		mem = mmap(NULL, size + 2 * MEMORY_ALIGN, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (mem == MAP_FAILED)
			die("no %#lx bytes of address space", size);
		area = (unsigned long)mem;
		munmap(mem, size + 2 * MEMORY_ALIGN);
		area = (area + MEMORY_ALIGN) & -MEMORY_ALIGN;
	}

	mem = mmap((void *)area, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (mem == MAP_FAILED)
		die("%#lx bytes of memory of kind %d: %s", size, kind,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	if (kind == MEM_ANON)
		madvise(mem, size, MADV_NOHUGEPAGE);
	if (kind == MEM_THP && madvise(mem, size, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE: %s", strerror(errno));
	return mem;
}

/**
 * memory_unmap() - the opposite of memory_map()
 * @mem: where
 * @size: bytes
 */
void memory_unmap(void *mem, unsigned long size)
{
	munmap(mem, size);
}

/**
 * vm_set_limit() - set a VM's page-size limit
 * @vm: the VM
 * @shift: the limit
 * @flags: KVM_PPC_HPT_MAX_PAGE_*
 *
 * Return: 0, or -errno.
 */
int vm_set_limit(struct vm *vm, u64 shift, u64 flags)
{
	struct kvm_enable_cap ec = {
		.cap = KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT,
		.args = { shift, flags },
	};

	return vm_ioctl(vm, KVM_ENABLE_CAP, &ec);
}

/**
 * vmm_lacks_limit() - what is missing for a test of the limit
 *
 * Return: NULL if the test can run.
 */
const char *vmm_lacks_limit(void)
{
	const char *why = vmm_lacks(ROAD_IOCTL);
	struct vm *vm;
	int ext;

	if (why)
		return why;
	vm = vm_create(.order = HPT_MIN_ORDER);
	ext = vm_has_ext(vm, KVM_CAP_PPC_HV_EXT);
	vm_destroy(vm);
	return ext & KVM_PPC_HV_EXT_MAX_PAGE_SHIFT ? NULL :
		"no page-size limit: kvm-hv-ext is not loaded";
}

/**
 * vm_slots_apart() - add memslots of one page each
 * @vm: the VM
 * @first: id of the first one
 * @slots: how many
 * @gpa: guest address of the first one
 *
 * Apart, at the guest's addresses and the host's, so that nothing makes one of them.
 *
 * Return: the memory, of twice as many pages.
 */
void *vm_slots_apart(struct vm *vm, unsigned int first, unsigned int slots,
		     unsigned long gpa)
{
	const unsigned long page = sysconf(_SC_PAGESIZE);
	struct kvm_userspace_memory_region region = { .memory_size = page };
	char *mem = memory_map(MEM_ANON, 2 * slots * page, 0);
	unsigned int i;
	int ret;

	for (i = 0; i < slots; i++) {
		region.slot = first + i;
		region.guest_phys_addr = gpa + 2 * i * page;
		region.userspace_addr = (unsigned long)mem + 2 * i * page;
		ret = vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
		if (ret)
			die("memslot %u: %s", region.slot, strerror(-ret));
	}
	return mem;
}

/**
 * vm_bare() - make an HPT VM without vCPUs and memory, with a limit
 * @vm: to be filled in; ends when its two descriptors are closed
 * @limit: the limit
 */
void vm_bare(struct vm *vm, unsigned int limit)
{
	int ret;

	*vm = (struct vm) { .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC) };
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);
	if (vm->fd < 0)
		die("KVM_CREATE_VM: %s", strerror(errno));
	ret = vm_alloc_htab(vm, HPT_MIN_ORDER);
	if (ret)
		die("no HPT: %s", strerror(-ret));
	ret = vm_set_limit(vm, limit, 0);
	if (ret)
		die("no limit of %u: %s", limit, strerror(-ret));
}

/**
 * memory_fits() - whether an HPT guest with a limit may have some memory
 * @limit: the guest's limit
 * @gpa: where the memory would be
 * @mem: the memory
 * @size: bytes
 *
 * The guest is a new one without vCPUs or other memory, which goes again.
 *
 * Return: 0, or -errno as KVM_SET_USER_MEMORY_REGION has it.
 */
int memory_fits(unsigned int limit, unsigned long gpa, void *mem,
		unsigned long size)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (unsigned long)mem,
	};
	struct vm vm;
	int ret;

	vm_bare(&vm, limit);
	ret = vm_ioctl(&vm, KVM_SET_USER_MEMORY_REGION, &region);
	close(vm.fd);
	close(vm.kvm);
	return ret;
}
