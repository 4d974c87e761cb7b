// SPDX-License-Identifier: GPL-2.0
/* IPIs between vCPUs, by XICS or XIVE. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "ipi.h"

#define H_EOI		0x64
#define H_CPPR		0x68
#define H_IPI		0x6c
#define H_XIRR		0x74

#define PRIORITY	4
#define ANY_PRIORITY	0xff	/* as CPPR all interrupts, as MFRR none */

/* The source in an XIRR: no interrupt after all, or the IPI. */
#define XIRR_SOURCE	0xffffff
#define XICS_IPI	2

/* XIVE: the pages of the thread's context and of two for each source, at EAs. */
#define XIVE_EA		0x40000000ul
#define XIVE_VSID	0x6b6b6
#define XIVE_GPA(page)	(BIT(39) + (page) * sysconf(_SC_PAGESIZE))
#define ESB_GPA(page)	XIVE_GPA(TIMA_PAGES + (page))
#define XIVE_SLOT	(VM_MAX_SLOTS - 2)	/* and the one below */
#define TIMA_EA		XIVE_EA
#define TIMA_PAGES	4
#define TIMA_OS		2	/* the page with an OS's view */
#define QUEUE_SHIFT	16	/* the only size that KVM has */
#define QUEUE(vcpu)	(GUEST_DATA + ((u64)(vcpu) << QUEUE_SHIFT))
#define QUEUE_ENTRIES	(BIT(QUEUE_SHIFT) / sizeof(u32))

/* In the TIMA, from the OS's page: Power ISA has none of it, the XIVE spec does. */
#define TIMA_CPPR	0x11
#define TIMA_ACK	0x810
/* In a source's second page; the first one triggers, wherever it is stored to. */
#define ESB_EOI		0x000
#define ESB_PQ_00	0xc00

/* The guest's copy is what counts. */
static u64 guest_by;

/* Source i is the IPI to vCPU i; page 0 triggers, page 1 manages. */
static u64 esb_ea(u64 source, unsigned int page)
{
	return XIVE_EA + (1 + 2 * source + page) * 4096;
}

/**
 * guest_ipi_begin() - let IPIs come, those too that were sent before
 */
void guest_ipi_begin(void)
{
	if (guest_by == IPI_XICS) {
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_CPPR, ANY_PRIORITY, 0, 0, 0));
		return;
	}
	GUEST_ASSERT_EQ(true, guest_store8(TIMA_EA + TIMA_CPPR, ANY_PRIORITY));
}

/**
 * guest_ipi_send() - send an IPI
 * @to: the vCPU
 */
void guest_ipi_send(u64 to)
{
	if (guest_by == IPI_XICS) {
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_IPI, to, PRIORITY, 0, 0));
		return;
	}
	/* What was stored before is there before the interrupt is. */
	asm volatile("sync" : : : "memory");
	GUEST_ASSERT_EQ(true, guest_store(esb_ea(to, 0), 0));
}

static bool xics_end(u64 self)
{
	u64 regs[9];

	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_XIRR, regs));
	if (!(regs[0] & XIRR_SOURCE))
		return false;
	GUEST_ASSERT_EQ(XICS_IPI, regs[0] & XIRR_SOURCE);
	GUEST_ASSERT_EQ(H_SUCCESS,
			guest_hcall4(H_IPI, self, ANY_PRIORITY, 0, 0));
	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_EOI, regs[0], 0, 0, 0));
	return true;
}

/* How many entries of its queue each vCPU has read. */
static u64 seen[VM_MAX_VCPUS];

/* An entry is valid if its first bit is 1 in the first round, 0 in the second... */
static bool queue_next(u64 self)
{
	const volatile u32 *queue = (const u32 *)QUEUE(self);
	u32 entry = be32toh(queue[seen[self] % QUEUE_ENTRIES]);

	if (entry >> 31 == (seen[self] / QUEUE_ENTRIES) % 2)
		return false;
	seen[self]++;
	return true;
}

static bool xive_end(u64 self)
{
	bool ipi;
	u64 again;
	u16 ack;

	GUEST_ASSERT_EQ(true, guest_load16(TIMA_EA + TIMA_ACK, &ack));
	/* The queue is not read before the interrupt is acknowledged. */
	asm volatile("sync" : : : "memory");
	ipi = queue_next(self);
	if (ipi) {
		GUEST_ASSERT_EQ(true, guest_load(esb_ea(self, 1) + ESB_EOI,
						 &again));
		if (again)
			guest_ipi_send(self);
	}
	GUEST_ASSERT_EQ(true, guest_store8(TIMA_EA + TIMA_CPPR, ANY_PRIORITY));
	return ipi;
}

/**
 * guest_ipi_end() - after the external interrupt: be ready for the next
 * @self: this vCPU
 *
 * Return: whether there was an IPI. Either controller may also interrupt for one
 * that has been taken already, say if KVM puts it off and then finds it gone.
 */
bool guest_ipi_end(u64 self)
{
	return guest_by == IPI_XICS ? xics_end(self) : xive_end(self);
}

static const char *connect(struct vm *vm, unsigned int type, unsigned int cap)
{
	struct kvm_create_device dev = { .type = type };
	struct kvm_enable_cap ec = { .cap = cap };
	int ret = vm_ioctl(vm, KVM_CREATE_DEVICE, &dev);
	unsigned int i;

	if (ret)
		return "KVM has no such interrupt controller here";
	vm->irqchip = dev.fd;
	ec.args[0] = dev.fd;
	for (i = 0; i < vm->nr_vcpus; i++) {
		ec.args[1] = i;
		if (ioctl(vm->vcpu[i].fd, KVM_ENABLE_CAP, &ec))
			die("vCPU %u: no interrupt controller: %s", i,
			    strerror(errno));
	}
	return NULL;
}

static void set(struct vm *vm, unsigned int group, u64 attr, void *value)
{
	struct kvm_device_attr set = {
		.group = group,
		.attr = attr,
		.addr = (unsigned long)value,
	};

	if (ioctl(vm->irqchip, KVM_SET_DEVICE_ATTR, &set))
		die("XIVE, group %u, %#lx: %s", group, (unsigned long)attr,
		    strerror(errno));
}

/* A queue for each vCPU, and a source that goes there and is armed. */
static void route(struct vm *vm, unsigned int vcpu)
{
	struct kvm_ppc_xive_eq queue = {
		.flags = KVM_XIVE_EQ_ALWAYS_NOTIFY,
		.qshift = QUEUE_SHIFT,
		.qaddr = QUEUE(vcpu),
		.qtoggle = 1,
	};
	u64 config = PRIORITY | (u64)vcpu << KVM_XIVE_SOURCE_SERVER_SHIFT;
	const char *esb = vm_host(vm, ESB_GPA(2 * vcpu + 1));
	u64 edge = 0;

	set(vm, KVM_DEV_XIVE_GRP_EQ_CONFIG,
	    (u64)vcpu << KVM_XIVE_EQ_SERVER_SHIFT | PRIORITY, &queue);
	set(vm, KVM_DEV_XIVE_GRP_SOURCE, vcpu, &edge);
	set(vm, KVM_DEV_XIVE_GRP_SOURCE_CONFIG, vcpu, &config);
	(void)*(const volatile u64 *)(esb + ESB_PQ_00);
}

static void add_pages(struct vm *vm, unsigned int slot, u64 gpa,
		      unsigned int first, unsigned int pages)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vm->irqchip, first * page);

	if (mem == MAP_FAILED)
		die("no pages of XIVE: %s", strerror(errno));
	vm_slot_use(vm, slot, gpa, pages * page, mem);
}

/* 4 KiB of each page are enough. */
static void map(struct vm *vm, u64 ea, u64 gpa)
{
	vcpu_map(&vm->vcpu[0], &(struct page){
		.vsid = XIVE_VSID,
		.offset = ea - XIVE_EA,
		.gpa = gpa,
		.prot = HPTE_R_RW | HPTE_R_I | HPTE_R_G,
		.base_shift = 12,
		.shift = 12,
		.bolted = true,
	});
}

static const char *add_xive(struct vm *vm)
{
	const u64 slbe = XIVE_EA | SLBE_V;
	const u64 slbv = slb_vsid(XIVE_VSID, 12, false);
	const char *why;
	unsigned int i;

	if (sysconf(_SC_PAGESIZE) < 1l << QUEUE_SHIFT)
		return "KVM's XIVE wants its queues in pages of 64 KiB";
	why = connect(vm, KVM_DEV_TYPE_XIVE, KVM_CAP_PPC_IRQ_XIVE);
	if (why)
		return why;
	add_pages(vm, XIVE_SLOT - 1, XIVE_GPA(0), KVM_XIVE_TIMA_PAGE_OFFSET,
		  TIMA_PAGES);
	add_pages(vm, XIVE_SLOT, ESB_GPA(0), KVM_XIVE_ESB_PAGE_OFFSET,
		  2 * vm->nr_vcpus);

	map(vm, TIMA_EA, XIVE_GPA(TIMA_OS));
	for (i = 0; i < vm->nr_vcpus; i++) {
		route(vm, i);
		map(vm, esb_ea(i, 0), ESB_GPA(2 * i));
		map(vm, esb_ea(i, 1), ESB_GPA(2 * i + 1));
		vcpu_set_slb(&vm->vcpu[i], 1, &slbe, &slbv);
	}
	return NULL;
}

/**
 * vm_add_ipis() - give a VM an interrupt controller
 * @vm: a VM that has not run yet
 * @by: which, or none
 *
 * Its vCPUs are servers by their index. With XIVE a segment of 256 MiB at XIVE_EA
 * is taken, and the first of GUEST_DATA.
 *
 * Return: NULL, or why there is none on this host.
 */
const char *vm_add_ipis(struct vm *vm, enum ipi_by by)
{
	*vm_guest(vm, guest_by) = by;
	switch (by) {
	case IPI_NONE:
		break;
	case IPI_XICS:
		return connect(vm, KVM_DEV_TYPE_XICS, KVM_CAP_IRQ_XICS);
	case IPI_XIVE:
		return add_xive(vm);
	}
	return NULL;
}
