/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small virtual machine monitor for PAPR guests with a hash page table,
 * on /dev/kvm with KVM HV. Anything that cannot go on ends the process with
 * one line that says what failed: the test harness then reports the test.
 */
#ifndef SELFTESTS_VMM_H
#define SELFTESTS_VMM_H

#include <pthread.h>
#include <stdio.h>
#include <linux/kvm.h>

#include "types.h"

#define VM_MAX_VCPUS	8
#define VM_MAX_SLOTS	16

#define KIB		BIT(10)
#define MIB		BIT(20)
#define GIB		BIT(30)

/* Where things are in guest memory; the linker puts the image at its place. */
#define GUEST_VECTORS	0x100ul
#define GUEST_STACKS	0x10000ul	/* 64 KiB for each vCPU */
#define GUEST_IMAGE	0x200000ul	/* this very program, see guest.h */
#define GUEST_DATA	0x600000ul	/* from here on the test's own */
#define GUEST_RAM	(16 * MIB)	/* unless the test asks for more */

/* The two roads by which a resize can be asked for. */
enum vm_road {
	ROAD_IOCTL,	/* KVM_PPC_RESIZE_HPT_*, as QEMU does */
	ROAD_HCALL,	/* H_RESIZE_HPT_* served in the kernel */
};

/* A fixture of which there is a variant for either road. */
#define FIXTURE_ROADS(fixture)						\
	FIXTURE_VARIANT(fixture) { enum vm_road road; };		\
	FIXTURE_VARIANT_ADD(fixture, ioctl) { .road = ROAD_IOCTL };	\
	FIXTURE_VARIANT_ADD(fixture, hcall) { .road = ROAD_HCALL }

/* Everything left 0 takes its default. */
struct vm_cfg {
	unsigned int order;	/* of the HPT, default 20 */
	unsigned int vcpus;	/* default 1 */
	unsigned long ram;	/* bytes at guest address 0, default GUEST_RAM */
	unsigned long page;	/* backing page size, default the host's base */
	void *memory;		/* the backing itself, unmapped with the VM */
	unsigned long room;	/* bytes of memory the guest has but never uses */
	enum vm_road road;
	bool radix;		/* leave the guest in radix mode, without HPT */
	unsigned int strategy;	/* KVM_PPC_HPT_RESIZE_*, 0: see vm_strategy() */
	const char *device;	/* to make it by, default /dev/kvm */
};

struct vm;

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool threaded;
	bool hcall_pending;	/* next KVM_RUN loads GPR3..12 from run */
	bool in_stub;		/* parked in guest_hcall_stub */
	unsigned long interrupted;	/* how often KVM_RUN has ended with EINTR */
	u64 result;
};

struct slot {
	unsigned long gpa;
	unsigned long size;
	unsigned long page;
	void *host;
	u32 flags;
};

/*
 * An hcall that reached user space: fill run->papr_hcall.ret and, for
 * outputs, .args. It runs in the vCPU's own thread.
 */
typedef void (*vm_hcall_fn)(struct vcpu *vcpu, struct kvm_run *run);

/* A load or store where there is no memory: run->mmio. Likewise. */
typedef void (*vm_mmio_fn)(struct vcpu *vcpu, struct kvm_run *run);

struct vm {
	int kvm;
	int fd;
	unsigned int order;
	unsigned int nr_vcpus;
	struct vcpu vcpu[VM_MAX_VCPUS];
	struct slot slot[VM_MAX_SLOTS];
	enum vm_road road;
	unsigned int strategy;
	int irqchip;		/* of vm_add_ipis(), or 0 */
	bool faults;		/* the test makes memory inaccessible for a moment */
	vm_hcall_fn hcall;
	vm_mmio_fn mmio;
	void *priv;		/* the test's own */
};

/* VMs (vmm.c) */
#define vm_create(...) vm_create_cfg(&(struct vm_cfg){ __VA_ARGS__ })
struct vm *vm_create_cfg(const struct vm_cfg *cfg);
void vm_destroy(struct vm *vm);
int vm_ioctl(struct vm *vm, unsigned long nr, void *arg);
int vm_alloc_htab(struct vm *vm, unsigned int order);
void vm_slot_add(struct vm *vm, unsigned int id, unsigned long gpa,
		 unsigned long size, unsigned long page, u32 flags);
void vm_slot_use(struct vm *vm, unsigned int id, unsigned long gpa,
		 unsigned long size, void *host);
int vm_slot_set(struct vm *vm, unsigned int id, unsigned long gpa,
		u32 flags);
void vm_slot_del(struct vm *vm, unsigned int id);
void *vm_host(struct vm *vm, unsigned long gpa);
void vm_dirty_log(struct vm *vm, unsigned int id, void *bitmap);
const char *vm_shown_path(const struct vm *vm, const char *file);
FILE *vm_shown_open(const struct vm *vm, const char *file);
const char *vm_shown(struct vm *vm, const char *file, char *text, size_t size);
unsigned long vm_counter(struct vm *vm, const char *file, const char *name);
#define vm_guest(vm, var) ((typeof(var) *)vm_host(vm, (unsigned long)&(var)))

/* What this host offers (vmm.c) */
int vm_has_ext(struct vm *vm, unsigned long cap);
int vm_enable(struct vm *vm, unsigned int cap, u64 a, u64 b);
const char *vmm_lacks(enum vm_road road);
const char *vmm_lacks_ext(enum vm_road road);
unsigned int vm_strategy(void);
unsigned int vm_least_order(void);
void *vmm_map_backing(unsigned long size, unsigned long page);

/* vCPUs (vcpu.c) */
void vcpu_create(struct vm *vm, unsigned int id);
void vcpu_destroy(struct vcpu *vcpu);
int vcpu_one_reg(struct vcpu *vcpu, unsigned long request, u64 id, u64 *value);
void vcpu_aim(struct vcpu *vcpu, void *fn, u64 a, u64 b);
u64 vcpu_call(struct vcpu *vcpu, void *fn, u64 a, u64 b);
void vcpu_start(struct vcpu *vcpu, void *fn, u64 a, u64 b);
u64 vcpu_join(struct vcpu *vcpu);

/* The guest executes, and its answer is right. */
#define EXPECT_GUEST_RUNS(vcpu)	EXPECT_EQ(42, vcpu_call(vcpu, guest_sum, 40, 2))
#define ASSERT_GUEST_RUNS(vcpu)	ASSERT_EQ(42, vcpu_call(vcpu, guest_sum, 40, 2))

long vcpu_hcall(struct vcpu *vcpu, unsigned long nr, u64 regs[9]);
long vcpu_hcall2(struct vcpu *vcpu, unsigned long nr, u64 a, u64 b);
void vcpu_set_slb(struct vcpu *vcpu, unsigned int n, const u64 slbe[],
		  const u64 slbv[]);

#endif /* SELFTESTS_VMM_H */
