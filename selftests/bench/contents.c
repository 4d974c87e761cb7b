// SPDX-License-Identifier: GPL-2.0
/* A guest's memory and the contents of its HPT, the same for every contender. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "contents.h"
#include "host.h"

#define RAM_SLOT	1
#define RAM_GPA		BIT(40)
#define RAM_PER_HPT	7		/* log2 */

#define CHUNK_BYTES	((unsigned long)CONTENTS_CHUNK << CONTENTS_SHIFT)

/*
 * The linear mapping and the first process begin with the first group of any
 * HPT, the other processes wherever their VSIDs take them.
 */
#define LINEAR_VSID	BIT_ULL(24)
#define PROCESS_VSID	BIT_ULL(25)
#define VSID_STEP	0x9e3779b1ull	/* odd: no two alike below 2^24 */
#define VSID_MASK	0xffffffull

/**
 * contents_page() - one of the two mappings of a page of guest memory
 * @nr: number of the page in the guest's memory
 * @bolted: that of the linear mapping, or that of the process which has it
 * @page: the answer
 *
 * Each 2048 pages are one process; its pages are in a row at some place of a
 * segment of 1 TiB that has to itself.
 */
void contents_page(u64 nr, bool bolted, struct page *page)
{
	u64 process = nr / CONTENTS_WSET;
	u64 offset = process * 7919 % 4096 * CONTENTS_WSET + nr % CONTENTS_WSET;

	*page = (struct page){
		.vsid = bolted ? LINEAR_VSID :
			PROCESS_VSID | (process * VSID_STEP & VSID_MASK),
		.offset = (bolted ? nr : offset) << CONTENTS_SHIFT,
		.gpa = RAM_GPA + (nr << CONTENTS_SHIFT),
		.prot = HPTE_R_RW | HPTE_R_R | HPTE_R_C,
		.base_shift = CONTENTS_SHIFT,
		.shift = CONTENTS_SHIFT,
		.tera = true,
		.bolted = bolted,
	};
}

/*
 * Memory of any size from a file of one chunk, mapped again and again: an entry
 * is present because the host has a translation, however many share the page.
 */
static void map_ram(struct contents *contents)
{
	unsigned long size = contents->pages << CONTENTS_SHIFT;
	int fd = memfd_create("ram", MFD_CLOEXEC);
	unsigned long i;
	u64 *chunk;

	if (fd < 0 || ftruncate(fd, CHUNK_BYTES))
		die("no memory for a guest: %s", strerror(errno));
	chunk = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (chunk == MAP_FAILED)
		die("no memory for a guest: %s", strerror(errno));
	for (i = 0; i < CONTENTS_CHUNK; i++)
		chunk[i << CONTENTS_SHIFT >> 3] = i;
	munmap(chunk, CHUNK_BYTES);

	contents->ram = vmm_map_backing(size, 0);
	for (i = 0; i < size; i += 2 * CHUNK_BYTES)
		if (mmap(contents->ram + i, CHUNK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
		    MAP_FAILED)
			die("guest memory at %#lx: %s", i, strerror(errno));
	close(fd);
}

/**
 * contents_init() - describe the contents for an HPT, and map the memory
 * @contents: filled in
 * @order: log2 of the HPT's size in bytes
 */
void contents_init(struct contents *contents, unsigned int order)
{
	if (sysconf(_SC_PAGESIZE) != 1l << CONTENTS_SHIFT)
		die("the host must have pages of 64 KiB");
	contents->order = order;
	contents->pages = 1ull << (order + RAM_PER_HPT - CONTENTS_SHIFT);
	map_ram(contents);
}

/**
 * contents_free() - unmap the memory
 * @contents: no VM uses it any more
 */
void contents_free(struct contents *contents)
{
	munmap(contents->ram, contents->pages << CONTENTS_SHIFT);
}

/* The kernel takes no more than one run of entries at a time. */
static void write_entry(int fd, u64 index, const struct page *page)
{
	struct {
		struct kvm_get_htab_header hdr;
		u64 v, r;
	} __packed rec = {
		.hdr.index = index,
		.hdr.n_valid = 1,
		.v = htobe64(page_v(page)),
		.r = htobe64(page_r(page)),
	};

	if (write(fd, &rec, sizeof(rec)) != sizeof(rec))
		die("HTAB write: %s", strerror(errno));
}

/* Where H_ENTER would put it: the group's first free entry, then the other's. */
static u64 choose(struct page *page, u8 *used, unsigned int order)
{
	u64 group = hash_group(page_hash(page), false, order);

	/* The last entry may be that of the virtual real mode area. */
	if (used[group] == HPTES_PER_GROUP - 1) {
		page->secondary = true;
		group = hash_group(page_hash(page), true, order);
	}
	if (used[group] == HPTES_PER_GROUP - 1)
		die("both groups of a page are full");
	return group * HPTES_PER_GROUP + used[group]++;
}

/* Linear mapping first, as it comes to be. */
static void fill(const struct contents *contents, struct vm *vm)
{
	u8 *used = calloc(1ull << (contents->order - 7), 1);
	int fd = htab_fd(vm, KVM_GET_HTAB_WRITE);
	struct page page;
	u64 i, index;

	if (fd < 0)
		die("KVM_PPC_GET_HTAB_FD: %s", strerror(-fd));
	for (i = 0; i < 2 * contents->pages; i++) {
		contents_page(i % contents->pages, i < contents->pages, &page);
		index = choose(&page, used, contents->order);
		write_entry(fd, index, &page);
	}
	close(fd);
	free(used);
}

static void guest_nothing(void)
{
}

/**
 * contents_vm() - a VM that has all this
 * @contents: what it shall have
 * @strategy: KVM_PPC_HPT_RESIZE_*, or 0
 * @vcpus: how many
 *
 * Return: the VM; contents_vm_end() ends it.
 */
struct vm *contents_vm(const struct contents *contents, unsigned int strategy,
		       unsigned int vcpus)
{
	struct vm *vm = vm_create(.order = contents->order, .strategy = strategy,
				  .vcpus = vcpus);
	struct slot *slot = &vm->slot[RAM_SLOT];
	int ret;

	slot->size = contents->pages << CONTENTS_SHIFT;
	slot->page = 1ul << CONTENTS_SHIFT;
	slot->host = contents->ram;
	ret = vm_slot_set(vm, RAM_SLOT, RAM_GPA, 0);
	if (ret)
		die("guest memory: %s", strerror(-ret));
	/* From here on there are entries for the virtual real mode area. */
	vcpu_call(&vm->vcpu[0], guest_nothing, 0, 0);
	fill(contents, vm);
	return vm;
}

/**
 * contents_vm_end() - end a VM, but keep the memory for the next
 * @vm: the VM
 */
void contents_vm_end(struct vm *vm)
{
	vm->slot[RAM_SLOT].host = NULL;
	vm_destroy(vm);
}

/**
 * contents_look() - see in the host's own table whether it is as claimed
 * @contents: what the VM must have
 * @vm: the VM
 * @seen: what was found
 *
 * Looks at the first thousands of entries, which are of every kind; an entry
 * that is present should it be absent, or the other way round, ends it all.
 */
void contents_look(const struct contents *contents, struct vm *vm,
		   struct contents_seen *seen)
{
	const unsigned long absent = 0x20;	/* KVM's own bit in the table */
	unsigned long index, v, r, gr;
	unsigned int lines = 0;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/htab",
		 getpid(), vm->fd);
	file = fopen(path, "r");
	if (!file)
		die("%s: %s", path, strerror(errno));
	memset(seen, 0, sizeof(*seen));
	while (lines++ < 4096 &&
	       fscanf(file, "%lx %lx %lx %lx", &index, &v, &r, &gr) == 4) {
		u64 nr = ((gr & HPTE_R_RPN) - RAM_GPA) >> CONTENTS_SHIFT;
		bool present = v & HPTE_V_VALID;

		if ((gr & HPTE_R_RPN) < RAM_GPA)
			continue;
		if (present == !!(v & absent) || present != contents_present(nr))
			die("entry %#lx of page %#lx: %#lx, but expected %s",
			    index, (unsigned long)nr, v,
			    contents_present(nr) ? "present" : "absent");
		if (v & HPTE_V_BOLTED && present)
			seen->bolted_present++;
		else if (v & HPTE_V_BOLTED)
			seen->bolted_absent++;
		else if (present)
			seen->other_present++;
		else
			seen->other_absent++;
	}
	fclose(file);
	if (!seen->bolted_present || !seen->bolted_absent ||
	    !seen->other_present || !seen->other_absent)
		die("not every kind of entry is in the table: %u, %u, %u, %u",
		    seen->bolted_present, seen->bolted_absent,
		    seen->other_present, seen->other_absent);
}
