// SPDX-License-Identifier: GPL-2.0
/*
 * resize ORDER VCPUS ROUNDS CONTENDER...: resizes an HPT of that order by one, up
 * and down, each time in a new VM, with stock KVM (stock) or by a strategy of
 * kvm-hv-ext (copy, mirror, and mirror with warm tables turned off: cold). Prints,
 * for lab/bench to read,
 *
 *   prepare CONTENDER ORDER TO NS BYTES
 *   memory CONTENDER ORDER TO REST PREPARED COMMITTED
 *   commit CONTENDER ORDER TO NS
 *   refault CONTENDER ORDER TO NS AFTER ENTERED EXITS WARM
 *
 * BYTES are what the host holds for a resize that is prepared. Those of "memory" are
 * what it holds for the VM's tables and reverse maps in all: before, with the resize
 * prepared, and when COMMIT has just returned. NS of a refault is what the guest
 * takes, from COMMIT on, until it has loaded from each page of a working set that was
 * mapped and present before; AFTER is that without the COMMIT; ENTERED counts the
 * pages it had to enter again; EXITS are those of the VM from COMMIT on; WARM is the
 * time that the same loads take without a fault.
 *
 *   vcpus CONTENDER ORDER TO VCPUS NS
 *
 * The last has COMMIT again. With more than one of them the other vCPUs compute when it
 * comes, and nothing else is printed.
 *
 * One vCPU asks for COMMIT by an hcall that goes to this VMM, which issues the
 * ioctl: the road by which stock KVM is asked, taken for all contenders. All
 * times of the guest are differences of the timebase, read in the guest.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "contents.h"
#include "guest.h"

#define WSET_EA		0x50000000000ull	/* 1 TiB segment 5 */

/* Of the other vCPUs. */
static volatile u64 computing_over;
static volatile bool computing[VM_MAX_VCPUS];

/* In ticks of the timebase, by the guest. */
static struct {
	u64 warm;	/* to touch the working set, all of it mapped */
	u64 commit;
	u64 refault;	/* to touch it again after COMMIT */
	u64 entered;	/* pages entered again for that */
	long status;	/* of COMMIT */
} seen;

static void guest_enter(u64 nr, unsigned int order)
{
	u64 regs[9] = { 0 };
	struct page page;
	long ret;

	contents_page(nr, false, &page);
	regs[1] = hash_group(page_hash(&page), false, order) * HPTES_PER_GROUP;
	regs[2] = page_v(&page);
	regs[3] = page_r(&page);
	ret = guest_hcall(H_ENTER, regs);
	if (ret == H_PTEG_FULL) {
		page.secondary = true;
		regs[0] = 0;
		regs[1] = hash_group(page_hash(&page), true, order) *
			  HPTES_PER_GROUP;
		regs[2] = page_v(&page);
		regs[3] = page_r(&page);
		ret = guest_hcall(H_ENTER, regs);
	}
	GUEST_ASSERT_EQ(H_SUCCESS, ret);
}

/* A load from each page of the working set that has memory. */
static u64 guest_touch(unsigned int order)
{
	u64 nr, val, entered = 0;

	for (nr = 0; nr < CONTENTS_WSET; nr++) {
		u64 ea = WSET_EA + (nr << CONTENTS_SHIFT);

		if (!contents_present(nr))
			continue;
		if (!guest_load(ea, &val)) {
			guest_enter(nr, order);
			entered++;
			if (!guest_load(ea, &val))
				guest_fail(__LINE__, nr, order);
		}
		GUEST_ASSERT_EQ(nr % CONTENTS_CHUNK, val);
	}
	return entered;
}

static void guest_warm(u64 order)
{
	u64 start;

	GUEST_ASSERT_EQ(0, guest_touch(order));
	start = guest_timebase();
	guest_touch(order);
	seen.warm = guest_timebase() - start;
}

static void guest_commit(u64 order)
{
	u64 start = guest_timebase();

	seen.status = guest_hcall4(H_RESIZE_HPT_COMMIT, 0, order, 0, 0);
	seen.commit = guest_timebase() - start;
	if (seen.status)
		return;
	start = guest_timebase();
	seen.entered = guest_touch(order);
	seen.refault = guest_timebase() - start;
}

static void guest_compute(u64 vcpu)
{
	while (!computing_over)
		computing[vcpu] = true;
}

/* All are at it on return. */
static void computing_start(struct vm *vm)
{
	volatile bool *going = *vm_guest(vm, computing);
	unsigned int i;

	for (i = 1; i < vm->nr_vcpus; i++)
		vcpu_start(&vm->vcpu[i], guest_compute, i, 0);
	for (i = 1; i < vm->nr_vcpus; i++)
		while (!going[i])
			sched_yield();
}

static void computing_stop(struct vm *vm)
{
	unsigned int i;

	*vm_guest(vm, computing_over) = 1;
	for (i = 1; i < vm->nr_vcpus; i++)
		vcpu_join(&vm->vcpu[i]);
}

/* What the host holds for HPTs and reverse maps, from some point on. */
static long held_since(const struct mem_use *begin)
{
	struct mem_use now;

	mem_now(&now);
	return (begin->cma_free - now.cma_free + now.vmalloc_used -
		begin->vmalloc_used) * 1024;
}

/* What stock QEMU does with the hcall. */
static void serve_commit(struct vcpu *vcpu, struct kvm_run *run)
{
	struct kvm_ppc_resize_hpt arg = { .shift = run->papr_hcall.args[1] };
	int ret;

	if (run->papr_hcall.nr != H_RESIZE_HPT_COMMIT) {
		run->papr_hcall.ret = (u64)H_FUNCTION;
		return;
	}
	ret = vm_ioctl(vcpu->vm, KVM_PPC_RESIZE_HPT_COMMIT, &arg);
	if (ret)
		fprintf(stderr, "# COMMIT: %s\n", strerror(-ret));
	run->papr_hcall.ret = ret ? (u64)H_RESOURCE : H_SUCCESS;
}

static void load_segment(struct vm *vm)
{
	struct page page;
	u64 slbe = WSET_EA | SLBE_V, slbv;

	contents_page(0, false, &page);
	slbv = slb_vsid(page.vsid, CONTENTS_SHIFT, true);
	vcpu_set_slb(&vm->vcpu[0], 1, &slbe, &slbv);
}

static void measure(const struct contents *contents,
		    const struct contender *who, unsigned int to,
		    unsigned int vcpus)
{
	long rest, prepared, committed;
	const typeof(seen) *saw;
	struct contents_seen look;
	struct mem_use none;
	struct vm *vm;
	u64 exits, ns;

	mem_now(&none);
	vm = contents_vm(contents, who->strategy, vcpus);
	saw = vm_guest(vm, seen);
	contents_look(contents, vm, &look);
	fprintf(stderr, "# %s %u to %u, %u vCPUs: of %u bolted %u are present; of %u others %u\n",
		who->name, vm->order, to, vcpus,
		look.bolted_present + look.bolted_absent, look.bolted_present,
		look.other_present + look.other_absent, look.other_present);
	vm->hcall = serve_commit;
	load_segment(vm);
	vcpu_call(&vm->vcpu[0], guest_warm, vm->order, 0);

	rest = held_since(&none);
	ns = prepare(vm, to);
	prepared = held_since(&none);
	computing_start(vm);
	exits = vm_exits(vm);
	vcpu_call(&vm->vcpu[0], guest_commit, to, 0);
	exits = vm_exits(vm) - exits;
	committed = held_since(&none);
	computing_stop(vm);
	if (saw->status)
		die("COMMIT of order %u failed", to);

	printf("vcpus %s %u %u %u %lu\n", who->name, vm->order, to, vcpus,
	       (long)ticks_ns(saw->commit));
	if (vcpus == 1) {
		printf("prepare %s %u %u %lu %ld\n", who->name, vm->order, to,
		       (long)ns, prepared - rest);
		printf("memory %s %u %u %ld %ld %ld\n", who->name, vm->order, to,
		       rest, prepared, committed);
		printf("commit %s %u %u %lu\n", who->name, vm->order, to,
		       (long)ticks_ns(saw->commit));
		printf("refault %s %u %u %lu %lu %lu %lu %lu\n", who->name,
		       vm->order, to, (long)ticks_ns(saw->commit + saw->refault),
		       (long)ticks_ns(saw->refault), (long)saw->entered,
		       (long)exits, (long)ticks_ns(saw->warm));
	}
	fflush(stdout);
	contents_vm_end(vm);
}

int main(int argc, char **argv)
{
	unsigned int order = argc > 4 ? atoi(argv[1]) : 0;
	unsigned int vcpus = argc > 4 ? atoi(argv[2]) : 0;
	struct contents contents;
	int i, round;

	if (order <= HPT_MIN_ORDER || order >= HPT_MAX_ORDER || !vcpus ||
	    vcpus > VM_MAX_VCPUS)
		die("usage: resize ORDER VCPUS ROUNDS CONTENDER...");
	contents_init(&contents, order);
	for (i = 4; i < argc; i++) {
		const struct contender *who = contender(argv[i]);

		module_want(who->strategy);
		if (who->strategy && !module_set_param("warm", !who->cold))
			die("the parameter warm cannot be set");
		for (round = 0; round < atoi(argv[3]); round++) {
			measure(&contents, who, order + 1, vcpus);
			measure(&contents, who, order - 1, vcpus);
		}
	}
	contents_free(&contents);
	return 0;
}
