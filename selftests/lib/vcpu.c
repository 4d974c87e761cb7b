// SPDX-License-Identifier: GPL-2.0
/* vCPUs: calling guest functions, and hcalls on the VMM's behalf. */
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

/* 64 bit, little endian, vector and floating point on, real mode. */
#define GUEST_MSR	0x8000000002802003ull	/* SF VEC VSX FP RI LE */
#define LPCR_ILE	0x0000000002000000ull
#define GUEST_STACK	0x10000ul
#define STACK_HEADROOM	0x200ul

/**
 * vcpu_one_reg() - read or write a register of 64 bits
 * @vcpu: a vCPU that is not running
 * @request: KVM_GET_ONE_REG or KVM_SET_ONE_REG
 * @id: KVM_REG_PPC_*
 * @value: where it goes, or is
 *
 * Return: of the ioctl.
 */
int vcpu_one_reg(struct vcpu *vcpu, unsigned long request, u64 id, u64 *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (unsigned long)value };

	return ioctl(vcpu->fd, request, &reg);
}

/**
 * vcpu_create() - add a vCPU to a VM
 * @vm: the VM
 * @id: below VM_MAX_VCPUS
 */
void vcpu_create(struct vm *vm, unsigned int id)
{
	struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
	struct vcpu *vcpu = &vm->vcpu[id];
	u64 lpcr;
	int stride = vm_has_ext(vm, KVM_CAP_PPC_SMT);
	int size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id * (stride > 0 ? stride : 1));
	if (vcpu->fd < 0)
		die("vCPU %u: %s", id, strerror(errno));
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("vCPU %u: no run page: %s", id, strerror(errno));
	if (ioctl(vcpu->fd, KVM_ENABLE_CAP, &papr))
		die("vCPU %u: not PAPR: %s", id, strerror(errno));

	if (vcpu_one_reg(vcpu, KVM_GET_ONE_REG, KVM_REG_PPC_LPCR_64, &lpcr))
		die("vCPU %u: LPCR: %s", id, strerror(errno));
	lpcr |= LPCR_ILE;
	if (vcpu_one_reg(vcpu, KVM_SET_ONE_REG, KVM_REG_PPC_LPCR_64, &lpcr))
		die("vCPU %u: LPCR: %s", id, strerror(errno));
}

/**
 * vcpu_destroy() - close a vCPU that nobody runs
 * @vcpu: the vCPU
 */
void vcpu_destroy(struct vcpu *vcpu)
{
	munmap(vcpu->run, ioctl(vcpu->vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	close(vcpu->fd);
}

/**
 * vcpu_set_slb() - load segments
 * @vcpu: a vCPU that is not running
 * @n: how many
 * @slbe: as slbmte's RB: ESID, valid, index
 * @slbv: as slbmte's RS: VSID, segment and page size
 */
void vcpu_set_slb(struct vcpu *vcpu, unsigned int n, const u64 slbe[],
		  const u64 slbv[])
{
	struct kvm_sregs sregs;
	unsigned int i;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS: %s", strerror(errno));
	memset(&sregs.u.s.ppc64, 0, sizeof(sregs.u.s.ppc64));
	for (i = 0; i < n; i++) {
		sregs.u.s.ppc64.slb[i].slbe = slbe[i] | i;
		sregs.u.s.ppc64.slb[i].slbv = slbv[i];
	}
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		die("KVM_SET_SREGS: %s", strerror(errno));
}

/* GPR3..12: while an hcall is pending KVM takes them from the run page. */
static void load_hcall_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
	unsigned int i;

	if (!vcpu->hcall_pending)
		return;
	vcpu->run->papr_hcall.ret = regs->gpr[3];
	for (i = 0; i < 9; i++)
		vcpu->run->papr_hcall.args[i] = regs->gpr[4 + i];
}

static void set_regs(struct vcpu *vcpu, struct kvm_regs *regs)
{
	load_hcall_regs(vcpu, regs);
	if (ioctl(vcpu->fd, KVM_SET_REGS, regs))
		die("KVM_SET_REGS: %s", strerror(errno));
}

/**
 * vcpu_aim() - set up a call of a guest function, for whoever does KVM_RUN himself
 * @vcpu: an idle vCPU
 * @fn: the function, at the address that it has here; at most two arguments
 * @a: its first
 * @b: its second
 */
void vcpu_aim(struct vcpu *vcpu, void *fn, u64 a, u64 b)
{
	unsigned long stack = GUEST_STACKS + (vcpu->id + 1) * GUEST_STACK;
	struct kvm_regs regs = {
		.pc = (unsigned long)fn,
		.msr = GUEST_MSR,
		.lr = (unsigned long)guest_return,
	};

	stack -= STACK_HEADROOM;
	*(u64 *)vm_host(vcpu->vm, stack) = 0;
	regs.gpr[1] = stack;
	regs.gpr[3] = a;
	regs.gpr[4] = b;
	regs.gpr[12] = regs.pc;
	vcpu->in_stub = false;
	set_regs(vcpu, &regs);
}

static void __noreturn died(struct vcpu *vcpu, const char *how)
{
	struct kvm_regs regs;

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	die("vCPU %u %s; at %#llx, msr %#llx, lr %#llx, srr0 %#llx", vcpu->id,
	    how, regs.pc, regs.msr, regs.lr, regs.srr0);
}

/*
 * Run until an hcall of the library's own, and return its number. Others go
 * to the test's handler.
 */
static unsigned long run(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	char how[128];

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			vcpu->interrupted += errno == EINTR;
			if (errno == EINTR || errno == EAGAIN ||
			    (errno == EFAULT && vcpu->vm->faults))
				continue;
			snprintf(how, sizeof(how), "does not go: %s",
				 strerror(errno));
			died(vcpu, how);
		}
		vcpu->hcall_pending = run->exit_reason == KVM_EXIT_PAPR_HCALL;
		if (run->exit_reason == KVM_EXIT_MMIO && vcpu->vm->mmio) {
			vcpu->vm->mmio(vcpu, run);
			continue;
		}
		if (!vcpu->hcall_pending) {
			snprintf(how, sizeof(how), "left for reason %u, hw %#llx",
				 run->exit_reason,
				 run->hw.hardware_exit_reason);
			died(vcpu, how);
		}
		switch (run->papr_hcall.nr) {
		case UCALL_DONE:
		case UCALL_STUB:
			return run->papr_hcall.nr;
		case UCALL_TRAP:
			snprintf(how, sizeof(how),
				 "took interrupt %#llx at %#llx, msr %#llx, dar %#llx, dsisr %#llx",
				 run->papr_hcall.args[0], run->papr_hcall.args[1],
				 run->papr_hcall.args[2], run->papr_hcall.args[3],
				 run->papr_hcall.args[4]);
			died(vcpu, how);
		case UCALL_FAIL:
			die("guest code, line %llu: %#llx, expected %#llx",
			    run->papr_hcall.args[0], run->papr_hcall.args[1],
			    run->papr_hcall.args[2]);
		default:
			if (vcpu->vm->hcall)
				vcpu->vm->hcall(vcpu, run);
			else
				run->papr_hcall.ret = (u64)H_FUNCTION;
		}
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;

	run(vcpu);
	vcpu->result = vcpu->run->papr_hcall.args[0];
	return NULL;
}

/**
 * vcpu_start() - run a function in the guest, in a thread of its own
 * @vcpu: an idle vCPU
 * @fn: the function, at most two arguments
 * @a: its first
 * @b: its second
 *
 * The function runs on the guest's copy of this program's data.
 */
void vcpu_start(struct vcpu *vcpu, void *fn, u64 a, u64 b)
{
	int ret;

	vcpu_aim(vcpu, fn, a, b);
	vcpu->threaded = true;
	ret = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	if (ret)
		die("thread of vCPU %u: %s", vcpu->id, strerror(ret));
}

/**
 * vcpu_join() - wait until the guest function returned
 * @vcpu: from vcpu_start()
 *
 * Return: what the function returned.
 */
u64 vcpu_join(struct vcpu *vcpu)
{
	pthread_join(vcpu->thread, NULL);
	vcpu->threaded = false;
	return vcpu->result;
}

/**
 * vcpu_call() - run a function in the guest, and wait for it
 * @vcpu: an idle vCPU
 * @fn: the function, at most two arguments
 * @a: its first
 * @b: its second
 *
 * Return: what the function returned.
 */
u64 vcpu_call(struct vcpu *vcpu, void *fn, u64 a, u64 b)
{
	vcpu_aim(vcpu, fn, a, b);
	vcpu_thread(vcpu);
	return vcpu->result;
}

/**
 * vcpu_hcall() - have the guest make an hcall
 * @vcpu: an idle vCPU
 * @nr: the hcall
 * @args: r4..r12 going in; r4..r11 coming out
 *
 * Return: its status.
 */
long vcpu_hcall(struct vcpu *vcpu, unsigned long nr, u64 args[9])
{
	struct kvm_regs regs = {
		.pc = (unsigned long)guest_hcall_stub,
		.msr = GUEST_MSR,
	};
	unsigned int i;

	regs.gpr[3] = nr;
	for (i = 0; i < 9; i++)
		regs.gpr[4 + i] = args[i];
	if (vcpu->in_stub)
		load_hcall_regs(vcpu, &regs);
	else
		set_regs(vcpu, &regs);
	if (run(vcpu) != UCALL_STUB)
		died(vcpu, "is not in the hcall stub");
	vcpu->in_stub = true;
	for (i = 0; i < 9; i++)
		args[i] = vcpu->run->papr_hcall.args[i];
	return (long)args[8];
}

/**
 * vcpu_hcall2() - have the guest make an hcall with two arguments
 * @vcpu: an idle vCPU
 * @nr: the hcall
 * @a: r4
 * @b: r5
 *
 * Return: its status.
 */
long vcpu_hcall2(struct vcpu *vcpu, unsigned long nr, u64 a, u64 b)
{
	u64 args[9] = { a, b };

	return vcpu_hcall(vcpu, nr, args);
}

/**
 * vcpu_map() - have the guest enter a page in the HPT
 * @vcpu: an idle vCPU
 * @page: the page; anywhere in its group
 */
void vcpu_map(struct vcpu *vcpu, const struct page *page)
{
	u64 group = hash_group(page_hash(page), page->secondary,
			       vcpu->vm->order);
	u64 args[9] = { 0, group * HPTES_PER_GROUP, page_v(page), page_r(page) };
	long ret = vcpu_hcall(vcpu, H_ENTER, args);

	if (ret)
		die("H_ENTER of guest address %#lx: %ld",
		    (unsigned long)page->gpa, ret);
}
