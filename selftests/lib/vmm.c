// SPDX-License-Identifier: GPL-2.0
/* VMs: their hash page table, their memory, and what the host can do. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "guest.h"
#include "hpt.h"
#include "host.h"
#include "vmm.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT	26
#endif

/* Guest addresses in a slot agree with the host's modulo this much. */
#define BACKING_ALIGN	(16 * MIB)

/* Unused memory: H_RESIZE_HPT_* allow what the guest's memory calls for. */
#define ROOM_SLOT	(VM_MAX_SLOTS - 1)
#define ROOM_GPA	BIT(40)
#define ROOM_HCALL	(2 * GIB)

/**
 * vm_ioctl() - an ioctl on a VM
 * @vm: the VM
 * @nr: which
 * @arg: its argument
 *
 * Return: what the kernel answered, -errno on an error.
 */
int vm_ioctl(struct vm *vm, unsigned long nr, void *arg)
{
	int ret = ioctl(vm->fd, nr, arg);

	return ret < 0 ? -errno : ret;
}

/**
 * vm_has_ext() - KVM_CHECK_EXTENSION on a VM
 * @vm: the VM
 * @cap: the capability
 *
 * Return: the kernel's answer, 0 for what it does not know.
 */
int vm_has_ext(struct vm *vm, unsigned long cap)
{
	int ret = vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)cap);

	return ret < 0 ? 0 : ret;
}

/**
 * vm_enable() - KVM_ENABLE_CAP of a VM
 * @vm: the VM
 * @cap: the capability
 * @a: its first argument
 * @b: its second one
 *
 * Return: 0, or -errno.
 */
int vm_enable(struct vm *vm, unsigned int cap, u64 a, u64 b)
{
	struct kvm_enable_cap ec = { .cap = cap, .args = { a, b } };

	return vm_ioctl(vm, KVM_ENABLE_CAP, &ec);
}

static void must_enable(struct vm *vm, unsigned int cap, u64 a, u64 b)
{
	int ret = vm_enable(vm, cap, a, b);

	if (ret)
		die("KVM_ENABLE_CAP(%#x, %#lx): %s", cap, (unsigned long)a,
		    strerror(-ret));
}

/**
 * vmm_map_backing() - memory for a guest
 * @size: bytes
 * @page: page size, that of the host or one of hugetlbfs
 *
 * Aligned to 16 MiB, so that any HPTE can map it as far as the pages go.
 *
 * Return: its address, or NULL if there are no such pages.
 */
void *vmm_map_backing(unsigned long size, unsigned long page)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	unsigned long area, aligned;
	void *mem;

	if (page > (unsigned long)sysconf(_SC_PAGESIZE)) {
		/* Of its own accord at a multiple of the page size. */
		flags |= MAP_HUGETLB | MAP_POPULATE |
			 (__builtin_ctzl(page) << MAP_HUGE_SHIFT);
		mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
		return mem == MAP_FAILED ? NULL : mem;
	}

	flags |= MAP_NORESERVE;
	mem = mmap(NULL, size + BACKING_ALIGN, PROT_READ | PROT_WRITE, flags,
		   -1, 0);
	if (mem == MAP_FAILED)
		die("no %#lx bytes of address space", size + BACKING_ALIGN);
	area = (unsigned long)mem;
	aligned = (area + BACKING_ALIGN - 1) & -BACKING_ALIGN;
	if (aligned > area)
		munmap(mem, aligned - area);
	munmap((void *)(aligned + size), area + BACKING_ALIGN - aligned);
	return (void *)aligned;
}

/**
 * vm_slot_set() - set a memslot's place and flags
 * @vm: the VM
 * @id: a slot that vm_slot_add() made
 * @gpa: where in the guest
 * @flags: KVM_MEM_*
 *
 * Return: 0, or -errno.
 */
int vm_slot_set(struct vm *vm, unsigned int id, unsigned long gpa,
		u32 flags)
{
	struct slot *slot = &vm->slot[id];
	struct kvm_userspace_memory_region region = {
		.slot = id,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = slot->size,
		.userspace_addr = (unsigned long)slot->host,
	};
	int ret = vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);

	if (!ret) {
		slot->gpa = gpa;
		slot->flags = flags;
	}
	return ret;
}

/**
 * vm_slot_add() - give a VM memory
 * @vm: the VM
 * @id: memslot number, below VM_MAX_SLOTS
 * @gpa: guest address
 * @size: bytes
 * @page: backing page size, 0 for the host's base size
 * @flags: KVM_MEM_*
 */
void vm_slot_add(struct vm *vm, unsigned int id, unsigned long gpa,
		 unsigned long size, unsigned long page, u32 flags)
{
	struct slot *slot = &vm->slot[id];
	int ret;

	slot->size = size;
	slot->page = page ?: sysconf(_SC_PAGESIZE);
	slot->host = vmm_map_backing(size, slot->page);
	if (!slot->host)
		die("no %#lx bytes in pages of %#lx", size, slot->page);
	ret = vm_slot_set(vm, id, gpa, flags);
	if (ret)
		die("memslot %u at %#lx: %s", id, gpa, strerror(-ret));
}

/**
 * vm_slot_use() - give a VM memory that there is already
 * @vm: the VM
 * @id: memslot number, below VM_MAX_SLOTS
 * @gpa: guest address
 * @size: bytes
 * @host: the memory, unmapped with the VM or the slot
 */
void vm_slot_use(struct vm *vm, unsigned int id, unsigned long gpa,
		 unsigned long size, void *host)
{
	struct slot *slot = &vm->slot[id];
	int ret;

	slot->size = size;
	slot->host = host;
	ret = vm_slot_set(vm, id, gpa, 0);
	if (ret)
		die("memslot %u at %#lx: %s", id, gpa, strerror(-ret));
}

/**
 * vm_shown_path() - a file of a VM's debugfs directory hv-ext
 * @vm: the VM, made by this process
 * @file: its name there
 *
 * Return: the whole name, until the next call by this thread.
 */
const char *vm_shown_path(const struct vm *vm, const char *file)
{
	static __thread char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/hv-ext/%s",
		 getpid(), vm->fd, file);
	return path;
}

/**
 * vm_shown_open() - open a file of a VM's debugfs directory hv-ext, that is there
 * @vm: the VM, made by this process
 * @file: its name there
 *
 * Return: to read from.
 */
FILE *vm_shown_open(const struct vm *vm, const char *file)
{
	FILE *f = fopen(vm_shown_path(vm, file), "r");

	if (!f)
		die("%s: %s", vm_shown_path(vm, file), strerror(errno));
	return f;
}

/**
 * vm_shown() - what the module shows of a VM
 * @vm: the VM
 * @file: in its debugfs directory hv-ext
 * @text: for what is in it
 * @size: of @text
 *
 * Return: @text.
 */
const char *vm_shown(struct vm *vm, const char *file, char *text, size_t size)
{
	FILE *f = vm_shown_open(vm, file);

	text[fread(text, 1, size - 1, f)] = 0;
	fclose(f);
	return text;
}

/**
 * vm_counter() - a number that the module shows of a VM
 * @vm: the VM
 * @file: in its debugfs directory hv-ext
 * @name: what the line begins with
 *
 * Return: the number, ~0 if there is no such line.
 */
unsigned long vm_counter(struct vm *vm, const char *file, const char *name)
{
	FILE *f = vm_shown_open(vm, file);
	unsigned long val = ~0ul;
	size_t len = strlen(name);
	char line[128];

	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ' ')
			sscanf(line + len, "%lu", &val);
	fclose(f);
	return val;
}

/**
 * vm_slot_del() - take a memslot away, and the memory behind it
 * @vm: the VM
 * @id: the slot
 */
void vm_slot_del(struct vm *vm, unsigned int id)
{
	struct slot *slot = &vm->slot[id];
	unsigned long size = slot->size;
	int ret;

	slot->size = 0;
	ret = vm_slot_set(vm, id, slot->gpa, 0);
	if (ret)
		die("memslot %u would not go: %s", id, strerror(-ret));
	munmap(slot->host, size);
	slot->host = NULL;
}

/**
 * vm_host() - where guest memory is in this process
 * @vm: the VM
 * @gpa: guest address
 *
 * Return: the same byte, as the host sees it.
 */
void *vm_host(struct vm *vm, unsigned long gpa)
{
	struct slot *slot;

	for (slot = vm->slot; slot < vm->slot + VM_MAX_SLOTS; slot++)
		if (slot->host && gpa >= slot->gpa &&
		    gpa - slot->gpa < slot->size)
			return slot->host + (gpa - slot->gpa);
	die("guest address %#lx is in no memslot", gpa);
}

/**
 * vm_dirty_log() - fetch and clear a slot's dirty log
 * @vm: the VM
 * @id: the slot, with KVM_MEM_LOG_DIRTY_PAGES
 * @bitmap: a bit for each host page of the slot, in longs
 */
void vm_dirty_log(struct vm *vm, unsigned int id, void *bitmap)
{
	struct kvm_dirty_log log = { .slot = id, .dirty_bitmap = bitmap };
	int ret = vm_ioctl(vm, KVM_GET_DIRTY_LOG, &log);

	if (ret)
		die("KVM_GET_DIRTY_LOG: %s", strerror(-ret));
}

/**
 * vm_least_order() - the smallest HPT that any other can shrink to
 *
 * KVM enters the pages of a guest's real mode area, bolted, into one slot each of
 * as many groups. With small pages the smallest HPT has too few groups.
 *
 * Return: log2 of its size in bytes.
 */
unsigned int vm_least_order(void)
{
	unsigned int order = HPT_MIN_ORDER;

	while ((1ul << (order - 7)) * sysconf(_SC_PAGESIZE) < GUEST_RAM)
		order++;
	return order;
}

/**
 * vm_alloc_htab() - give a VM an HPT, or reset the one it has
 * @vm: the VM
 * @order: log2 of its size in bytes
 *
 * Return: 0, or -errno.
 */
int vm_alloc_htab(struct vm *vm, unsigned int order)
{
	u32 htab_order = order;
	int ret = vm_ioctl(vm, KVM_PPC_ALLOCATE_HTAB, &htab_order);

	if (!ret)
		vm->order = order;
	return ret;
}

/* Copy this program's segments to where they are linked, plus the vectors. */
static void load_image(struct vm *vm)
{
	const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
	unsigned long i, n = getauxval(AT_PHNUM);

	for (i = 0; i < n; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_vaddr < GUEST_IMAGE ||
		    ph[i].p_vaddr + ph[i].p_memsz > GUEST_DATA)
			die("segment at %#lx is not where guests expect it",
			    (unsigned long)ph[i].p_vaddr);
		memcpy(vm_host(vm, ph[i].p_vaddr), (void *)ph[i].p_vaddr,
		       ph[i].p_memsz);
	}
	memcpy(vm_host(vm, GUEST_VECTORS), guest_vectors,
	       guest_vectors_end - guest_vectors);
}

/* What nobody has chosen is the module's choice: what a test expects goes by that. */
static void choose_strategy(struct vm *vm, unsigned int strategy)
{
	struct kvm_ppc_hv_ext_state state;

	if (!vm_has_ext(vm, KVM_CAP_PPC_HPT_RESIZE))
		return;
	if (!strategy)
		strategy = vm_strategy();
	if (strategy)
		must_enable(vm, KVM_CAP_PPC_HPT_RESIZE, strategy, 0);
	if (vm_ioctl(vm, KVM_PPC_HV_EXT_STATE, &state))
		die("kvm-hv-ext does not say what a VM has");
	if (strategy && state.resize_strategy != strategy)
		die("strategy %u was chosen, and is %u", strategy, state.resize_strategy);
	vm->strategy = state.resize_strategy;
}

/**
 * vm_create_cfg() - make a VM; call it as vm_create(.order = 20, .vcpus = 2)
 * @cfg: what it is like
 *
 * The VM comes with memory at guest address 0, this program loaded in it, an
 * HPT and its vCPUs.
 *
 * Return: the VM.
 */
struct vm *vm_create_cfg(const struct vm_cfg *cfg)
{
	struct kvm_ppc_mmuv3_cfg mmu = { 0 };
	struct vm *vm = calloc(1, sizeof(*vm));
	unsigned long room;
	unsigned int i;
	int ret;

	vm->kvm = open(cfg->device ?: "/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		die("%s: %s", cfg->device ?: "/dev/kvm", strerror(errno));
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);
	if (vm->fd < 0)
		die("KVM_CREATE_VM: %s", strerror(errno));
	vm->road = cfg->road;
	vm->nr_vcpus = cfg->vcpus ?: 1;

	if (cfg->memory)
		vm_slot_use(vm, 0, 0, cfg->ram ?: GUEST_RAM, cfg->memory);
	else
		vm_slot_add(vm, 0, 0, cfg->ram ?: GUEST_RAM, cfg->page, 0);
	room = cfg->room ?: cfg->road == ROAD_HCALL ? ROOM_HCALL : 0;
	if (room)
		vm_slot_add(vm, ROOM_SLOT, ROOM_GPA, room, 0, 0);
	load_image(vm);

	if (!cfg->radix) {
		ret = vm_alloc_htab(vm, cfg->order ?: 20);
		if (ret)
			die("HPT of order %u: %s", cfg->order, strerror(-ret));
		if (vm_has_ext(vm, KVM_CAP_PPC_MMU_HASH_V3)) {
			ret = vm_ioctl(vm, KVM_PPC_CONFIGURE_V3_MMU, &mmu);
			if (ret)
				die("KVM_PPC_CONFIGURE_V3_MMU: %s",
				    strerror(-ret));
		}
	}
	/* Off unless asked for, as QEMU does. */
	must_enable(vm, KVM_CAP_PPC_ENABLE_HCALL, H_CLEAR_REF, 1);
	must_enable(vm, KVM_CAP_PPC_ENABLE_HCALL, H_CLEAR_MOD, 1);
	if (vm->road == ROAD_HCALL) {
		must_enable(vm, KVM_CAP_PPC_ENABLE_HCALL, H_RESIZE_HPT_PREPARE, 1);
		must_enable(vm, KVM_CAP_PPC_ENABLE_HCALL, H_RESIZE_HPT_COMMIT, 1);
	}
	if (!cfg->device)
		choose_strategy(vm, cfg->strategy);

	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_create(vm, i);
	return vm;
}

/**
 * vm_destroy() - end a VM whose vCPU threads were joined
 * @vm: the VM
 */
void vm_destroy(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_destroy(&vm->vcpu[i]);
	if (vm->irqchip)
		close(vm->irqchip);
	close(vm->fd);
	close(vm->kvm);
	for (i = 0; i < VM_MAX_SLOTS; i++)
		if (vm->slot[i].host)
			munmap(vm->slot[i].host, vm->slot[i].size);
	free(vm);
}

/**
 * vm_strategy() - the resize strategy that the caller of the test asked for
 *
 * KVM_HV_EXT_STRATEGY=copy or mirror in the environment.
 *
 * Return: KVM_PPC_HPT_RESIZE_*, or 0 for the module's own choice.
 */
unsigned int vm_strategy(void)
{
	const char *name = getenv("KVM_HV_EXT_STRATEGY");

	if (!name || !*name)
		return 0;
	if (!strcmp(name, "copy"))
		return KVM_PPC_HPT_RESIZE_COPY;
	if (!strcmp(name, "mirror"))
		return KVM_PPC_HPT_RESIZE_MIRROR;
	die("KVM_HV_EXT_STRATEGY=%s: neither copy nor mirror", name);
}

/* What a VM gets that was made after the module was inserted. */
static int whole_ext(void)
{
	return KVM_PPC_HV_EXT_RESIZE | KVM_PPC_HV_EXT_RESIZE_HCALL |
	       KVM_PPC_HV_EXT_MAX_PAGE_SHIFT | KVM_PPC_HV_EXT_BALLOON_INHIBIT |
	       KVM_PPC_HV_EXT_CHECK_MEMORY | KVM_PPC_HV_EXT_STATE_GET |
	       (getauxval(AT_HWCAP2) & PPC_FEATURE2_ARCH_3_00 ?
			KVM_PPC_HV_EXT_GUEST_STOP : 0);
}

static const char *lacks(enum vm_road road, bool need_ext)
{
	const char *why = NULL;
	int kvm, vm, ext;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return "no /dev/kvm";
	vm = ioctl(kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);
	if (vm < 0) {
		why = "KVM makes no HV VM here";
		goto out_kvm;
	}
	ext = ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_PPC_HV_EXT);
	if (ext < 0)
		ext = 0;
	/* Nothing is left out because the module has forgotten that it can do it. */
	if (module_loaded() && ext != whole_ext())
		die("kvm-hv-ext is there, and offers %#x, not %#x", ext, whole_ext());
	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_PPC_ALLOC_HTAB) <= 0)
		why = "no hash page tables in this KVM";
	else if (need_ext && !(ext & KVM_PPC_HV_EXT_RESIZE))
		why = "kvm-hv-ext is not loaded, and stock KVM is known to fail";
	else if (road == ROAD_HCALL && !(ext & KVM_PPC_HV_EXT_RESIZE_HCALL))
		why = "H_RESIZE_HPT_* in the kernel need kvm-hv-ext, not loaded";
	close(vm);
out_kvm:
	close(kvm);
	return why;
}

/**
 * vmm_lacks() - what is missing for a test, as a reason to skip it
 * @road: how the test wants to ask for a resize
 *
 * Return: NULL if the test can run.
 */
const char *vmm_lacks(enum vm_road road)
{
	return lacks(road, false);
}

/**
 * vmm_lacks_ext() - the same for a test of what only kvm-hv-ext does right
 * @road: how the test wants to ask for a resize
 *
 * Return: NULL if the test can run.
 */
const char *vmm_lacks_ext(enum vm_road road)
{
	return lacks(road, true);
}
