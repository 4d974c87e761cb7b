// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that stops: it wakes up by each kind of interrupt, whether it may take
 * the interrupt or not, finds itself behind the stop with nothing changed, and
 * none of this is there for a VM that did not ask for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hotplug.h"
#include "hpt.h"
#include "stop.h"

#define ILLEGAL		".long 0\n"

#define MSR_USER	0x800000000280f033ull	/* SF VEC VSX EE PR FP IR DR RI LE */

/* Fields of PSSCR that are the guest's, and one that is not empty. */
#define PSSCR_GUEST	0x3ffull
#define PSSCR_STATUS	0xf000000000000000ull
#define PSSCR_TR1	0x100ull

static struct interrupts ints[VM_MAX_VCPUS];
static u64 stops[VM_MAX_VCPUS];

static u64 guest_illegal(u64 id)
{
	guest_begin(&ints[id]);
	asm volatile(ILLEGAL : : : "memory", "cr0");
	return 0;
}

/* Idle as an OS does: stop, and look whether it was for something. */
static u64 guest_wake_by_dec(u64 id, u64 n)
{
	struct interrupts *mine = guest_begin(&ints[id]);
	u64 i;

	for (i = 0; i < n; i++) {
		guest_set_dec(DEC_MS / 8);
		while (guest_taken(mine, VEC_DECREMENTER) == i) {
			guest_irq_on();
			guest_stop();
			guest_irq_off();
			stops[id]++;
		}
		guest_set_dec(DEC_FAR);
		GUEST_ASSERT_EQ(i + 1, guest_taken(mine, VEC_DECREMENTER));
	}
	return 0;
}

static u64 over;

/* For as long as the host wants. */
static u64 guest_stop_on(u64 id, u64 unused)
{
	guest_begin(&ints[id]);
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		guest_set_dec(DEC_MS / 8);
		guest_stop();
		__atomic_fetch_add(&stops[id], 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* Until a counter of the guest's is so much higher; what it is then. */
static u64 await_more(const u64 *counter, u64 more)
{
	u64 now, end = __atomic_load_n(counter, __ATOMIC_RELAXED) + more;

	while ((now = __atomic_load_n(counter, __ATOMIC_RELAXED)) < end)
		pause_us(1000);
	return now;
}

/* With EE off it wakes up all the same, and the interrupt stays pending. */
static u64 guest_wake_masked(u64 id, u64 n)
{
	struct interrupts *mine = guest_begin(&ints[id]);
	u64 i;

	for (i = 0; i < n; i++) {
		guest_set_dec(DEC_MS / 8);
		while (guest_dec() >= 0) {
			guest_stop();
			stops[id]++;
		}
		GUEST_ASSERT_EQ(i, guest_taken(mine, VEC_DECREMENTER));
		/* Pending already: that must not be waited out. */
		guest_stop();
		GUEST_ASSERT_EQ(i, guest_taken(mine, VEC_DECREMENTER));
		guest_irq_on();
		guest_irq_off();
		guest_set_dec(DEC_FAR);
		GUEST_ASSERT_EQ(i + 1, guest_taken(mine, VEC_DECREMENTER));
	}
	return 0;
}

/* By how many ticks later the decrementer is due than it was set for, and elapsed. */
static struct {
	u64 late, elapsed;
} drift;

static u64 guest_drift(u64 id, u64 n)
{
	u64 due, i, now, last = 0;

	guest_begin(&ints[id]);
	due = guest_timebase() + DEC_FAR;
	guest_set_dec(DEC_FAR);
	for (i = 0; i < n; i++)
		guest_stop();
	drift.elapsed = guest_timebase() + DEC_FAR - due;
	/* An exit between the two readings makes it look earlier, never later. */
	for (i = 0; i < 16; i++) {
		now = guest_timebase();
		now += guest_dec();
		if (now > last)
			last = now;
	}
	drift.late = last > due ? last - due : 0;
	return 0;
}

static void guest_await_external(struct interrupts *mine, u64 id, u64 before)
{
	while (guest_taken(mine, VEC_EXTERNAL) == before) {
		/* Once it has expired no stop would last. */
		guest_set_dec(DEC_FAR);
		guest_irq_on();
		guest_stop();
		guest_irq_off();
		stops[id]++;
	}
}

static u64 interrupts_for_nothing;

static void guest_await_ipi(struct interrupts *mine, u64 id)
{
	for (;;) {
		guest_await_external(mine, id, guest_taken(mine, VEC_EXTERNAL));
		if (guest_ipi_end(id))
			break;
		__atomic_fetch_add(&interrupts_for_nothing, 1, __ATOMIC_RELAXED);
	}
}

static u64 ring_size;

/* Pass an IPI on to the next, and stop until it has gone round. */
static u64 guest_ring(u64 id, u64 n)
{
	struct interrupts *mine = guest_begin(&ints[id]);
	u64 i, next = (id + 1) % ring_size;

	guest_ipi_begin();
	for (i = 0; i < n; i++) {
		if (i || id)
			guest_await_ipi(mine, id);
		if (i < n - 1 || next)
			guest_ipi_send(next);
	}
	return 0;
}

static u64 heard;

static u64 guest_listen(u64 id, u64 n)
{
	struct interrupts *mine = guest_begin(&ints[id]);

	for (; heard < n; __atomic_fetch_add(&heard, 1, __ATOMIC_SEQ_CST))
		guest_await_external(mine, id, heard);
	return 0;
}

/* Read and write what is the guest's of PSSCR, around a stop. */
static u64 guest_psscr(u64 id, u64 set)
{
	u64 before, after;

	guest_begin(&ints[id]);
	if (set)
		asm volatile("mtspr 823,%0" : : "r" (set));
	asm volatile("mfspr %0,823" : "=r" (before));
	guest_try_stop(&ints[id], 0);
	asm volatile("mfspr %0,823" : "=r" (after));
	GUEST_ASSERT_EQ(before & PSSCR_GUEST, after & PSSCR_GUEST);
	return after;
}

/* Alone in its 4 KiB, as it is mapped for problem state. */
static const u32 user_code[1024] __attribute__((aligned(4096))) = {
	0x4c0002e4,	/* stop */
};

static u64 guest_user_stop(u64 id, u64 ea)
{
	guest_begin(&ints[id]);
	guest_user_call(ea, MSR_USER);
	return 0;
}

static u64 taken(struct vm *vm, unsigned int id, unsigned int vec)
{
	return vm_guest(vm, ints[0])[id].taken[vec >> 8];
}

static void try_stop(struct vm *vm)
{
	vcpu_call(&vm->vcpu[0], guest_try_stop, (unsigned long)&ints[0], 0);
}

TEST(choice)
{
	struct vm *vm = vm_create(.vcpus = 1);
	int can = vm_has_ext(vm, KVM_CAP_PPC_GUEST_STOP);
	u64 regs[9] = { 0 };

	if (!can) {
		ASSERT_EQ(-EINVAL, vm_enable_stop(vm, STOP_EMULATED, 0));
		vm_destroy(vm);
		SKIP(return, "no guest stop here: %s", lacks_stop(0));
	}
	EXPECT_TRUE(can & STOP_EMULATED);
	EXPECT_EQ(0, can & ~STOP_NATIVE);
	EXPECT_EQ(-EINVAL, vm_enable_stop(vm, KVM_PPC_GUEST_STOP_NATIVE, 0));
	EXPECT_EQ(-EINVAL, vm_enable_stop(vm, BIT(2), 0));
	EXPECT_EQ(-EINVAL, vm_enable_stop(vm, STOP_EMULATED | BIT(32), 0));
	EXPECT_EQ(-EINVAL, vm_enable_stop(vm, STOP_EMULATED, 1));
	/* Native may be asked for anywhere, so that a guest can move. */
	EXPECT_EQ(0, vm_enable_stop(vm, STOP_NATIVE, 0));
	EXPECT_EQ(0, vm_enable_stop(vm, 0, 0));

	EXPECT_EQ(H_FUNCTION, vcpu_hcall(&vm->vcpu[0], H_KVM_HV_EXT_FEATURES,
					 regs));
	EXPECT_EQ(-EBUSY, vm_enable_stop(vm, STOP_EMULATED, 0));
	EXPECT_EQ(-EBUSY, vm_enable_stop(vm, STOP_NATIVE, 0));
	vm_destroy(vm);
}

/* QEMU asks for a machine's capabilities again at each reset and each loadvm. */
TEST(same_again)
{
	const u64 ways[] = { 0, STOP_EMULATED, STOP_NATIVE };
	const char *why = lacks_stop(STOP_EMULATED);
	unsigned int i, j;

	if (why)
		SKIP(return, "%s", why);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct vm *vm = vm_create(.vcpus = 1);
		u64 regs[9] = { 0 };

		ASSERT_EQ(0, vm_enable_stop(vm, ways[i], 0));
		vcpu_hcall(&vm->vcpu[0], H_KVM_HV_EXT_FEATURES, regs);
		for (j = 0; j < ARRAY_SIZE(ways); j++)
			EXPECT_EQ(i == j ? 0 : -EBUSY,
				  vm_enable_stop(vm, ways[j], 0));
		/* Nor does asking for something else change what there is. */
		EXPECT_EQ(ways[i] ? H_SUCCESS : H_FUNCTION,
			  vcpu_hcall(&vm->vcpu[0], H_KVM_HV_EXT_FEATURES, regs));
		vm_destroy(vm);
	}
}

/* By default native is offered only where the kernel protects itself. */
TEST(by_default)
{
	const char *why = lacks_stop(STOP_EMULATED);
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	if (!stop_param_is("native", "auto"))
		SKIP(return, "guest_stop_native is not auto");
	if (kernel_keeps_nmis())
		SKIP(return, "this kernel says that it does");
	vm = vm_create(.vcpus = 1);
	EXPECT_EQ(STOP_EMULATED, vm_has_ext(vm, KVM_CAP_PPC_GUEST_STOP));
	vm_destroy(vm);
}

TEST(discovery)
{
	const u64 ways[] = { STOP_EMULATED, STOP_NATIVE };
	const char *why = lacks_stop(STOP_EMULATED);
	unsigned int i;

	if (why)
		SKIP(return, "%s", why);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct vm *vm = vm_create_stop(ways[i], 1, IPI_NONE);
		u64 regs[9] = { 0 };

		EXPECT_EQ(H_SUCCESS, vcpu_hcall(&vm->vcpu[0],
						H_KVM_HV_EXT_FEATURES, regs));
		EXPECT_EQ(H_KVM_HV_EXT_FEATURE_STOP, regs[0]);
		vm_destroy(vm);
	}
}

static void stay_on(unsigned int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("no CPU %u: %s", cpu, strerror(errno));
}

/* As by stock KVM, but not only if the host's last idle state was a deep one. */
TEST(off)
{
	const char *why = lacks_stop(STOP_EMULATED);
	unsigned int cpu = sched_getcpu();
	struct interrupts *saw;
	unsigned long states;
	struct vm *vm;

	if (why)
		SKIP(return, "%s", why);
	if (stop_param_is("off_traps", "N"))
		SKIP(return, "guest_stop_off_traps is off");
	stay_on(cpu);
	/* The first that stops, at most: that one leaves PSSCR clear. */
	states = host_allow_idle(cpu, BIT(1));
	pause_us(100000);
	vm = vm_create_stop(0, 1, IPI_NONE);
	try_stop(vm);
	saw = vm_guest(vm, ints[0]);
	EXPECT_EQ(1, taken(vm, 0, VEC_PROGRAM));
	EXPECT_EQ(SRR1_ILLEGAL, saw->srr1 & 0x783f0000);
	EXPECT_EQ(0x4c0002e4, *(u32 *)vm_host(vm, saw->srr0));
	EXPECT_LE(vm_stops_emulated(vm), 0);
	vm_destroy(vm);
	host_allow_idle(cpu, states);
}

FIXTURE(stop)
{
	struct vm *vm;
};

FIXTURE_VARIANT(stop)
{
	u64 ways;
	unsigned int vcpus;
};

FIXTURE_VARIANT_ADD(stop, emulated_1) { .ways = STOP_EMULATED, .vcpus = 1 };
FIXTURE_VARIANT_ADD(stop, emulated_4) { .ways = STOP_EMULATED, .vcpus = 4 };
FIXTURE_VARIANT_ADD(stop, native_1) { .ways = STOP_NATIVE, .vcpus = 1 };
FIXTURE_VARIANT_ADD(stop, native_4) { .ways = STOP_NATIVE, .vcpus = 4 };

FIXTURE_SETUP(stop)
{
	const char *why = lacks_stop(variant->ways);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(stop)
{
	if (self->vm)
		vm_destroy(self->vm);
}

static void run_all(struct vm *vm, void *fn, u64 arg)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_start(&vm->vcpu[i], fn, i, arg);
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_join(&vm->vcpu[i]);
}

static u64 all_stops(struct vm *vm)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < vm->nr_vcpus; i++)
		sum += vm_guest(vm, stops[0])[i];
	return sum;
}

static void expect_no_program(struct __test_metadata *_metadata,
			      struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		EXPECT_EQ(0, taken(vm, i, VEC_PROGRAM))
			TH_LOG("vCPU %u, srr1 %#lx", i,
			       (long)vm_guest(vm, ints[0])[i].srr1);
	}
}

/* Each emulated stop comes by the module, and no native one does. */
static void expect_kind(struct __test_metadata *_metadata, struct vm *vm,
			u64 ways, u64 wakeups)
{
	long by_module = vm_stops_emulated(vm);
	u64 n = all_stops(vm);

	TH_LOG("%lu stops for %lu wakeups, %ld emulated", (long)n,
	       (long)wakeups, by_module);
	if (by_module < 0)
		return;
	if (ways == STOP_NATIVE)
		EXPECT_EQ(0, by_module);
	if (ways == STOP_EMULATED)
		EXPECT_GE(by_module, n);
}

TEST_F_TIMEOUT(stop, decrementer, 300)
{
	u64 n = scaled(1000);

	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	run_all(self->vm, guest_wake_by_dec, n);
	expect_no_program(_metadata, self->vm);
	expect_kind(_metadata, self->vm, variant->ways, n * variant->vcpus);
}

/* As its CPU goes, a vCPU is put there and loaded on another. */
TEST_F_TIMEOUT(stop, cpu_hotplug, 300)
{
	const char *why = hotplug_lacks();
	struct hotplug hotplug;
	u64 n = scaled(4000);

	if (why)
		SKIP(return, "%s", why);
	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	hotplug_start(&hotplug);
	run_all(self->vm, guest_wake_by_dec, n);
	EXPECT_LT(0, hotplug_stop(&hotplug));
	expect_no_program(_metadata, self->vm);
	expect_kind(_metadata, self->vm, variant->ways, n * variant->vcpus);
}

/* Each exit may make it a bit later; that must not add up. */
TEST_F_TIMEOUT(stop, decrementer_does_not_drift, 300)
{
	const u64 n = 1000, ticks_per_stop = 32, slow = 10 * DEC_MS / 1000;
	typeof(drift) *saw;

	if (variant->ways == STOP_NATIVE)
		SKIP(return, "a native stop would last until the decrementer");
	if (variant->vcpus > 1)
		SKIP(return, "what one vCPU gets does not depend on others");
	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	vcpu_call(&self->vm->vcpu[0], guest_drift, 0, n);
	saw = vm_guest(self->vm, drift);
	TH_LOG("due %lu ticks later after %lu stops of %lu ticks",
	       (long)saw->late, (long)n, (long)(saw->elapsed / n));
	if (saw->elapsed > n * slow)
		SKIP(return, "too slow a host: it takes %lu us to emulate a stop",
		     (long)(saw->elapsed / n * 1000 / DEC_MS));
	EXPECT_LE(saw->late, n * ticks_per_stop);
}

TEST_F_TIMEOUT(stop, masked, 300)
{
	u64 n = scaled(1000);

	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	run_all(self->vm, guest_wake_masked, n);
	expect_no_program(_metadata, self->vm);
	expect_kind(_metadata, self->vm, variant->ways, n * variant->vcpus);
}

static const char *lacks_ipis(unsigned int vcpus, enum ipi_by by)
{
	struct vm *vm = vm_create(.vcpus = vcpus);
	const char *why = vm_add_ipis(vm, by);

	vm_destroy(vm);
	if (why)
		return why;
	if (vcpus < 2)
		return "one vCPU alone has nobody to wake it";
	return NULL;
}

/* Its VM is left for the fixture to end. */
static void wake_by_ipi(struct __test_metadata *_metadata, struct vm **vm,
			u64 ways, unsigned int vcpus, enum ipi_by by)
{
	u64 n = scaled(200);
	const char *why = lacks_ipis(vcpus, by);

	if (why)
		SKIP(return, "%s", why);
	*vm = vm_create_stop(ways, vcpus, by);
	*vm_guest(*vm, ring_size) = vcpus;
	run_all(*vm, guest_ring, n);
	TH_LOG("%lu interrupts for nothing",
	       (long)*vm_guest(*vm, interrupts_for_nothing));
	expect_no_program(_metadata, *vm);
	expect_kind(_metadata, *vm, ways, n * vcpus);
}

TEST_F_TIMEOUT(stop, ipi_by_xics, 300)
{
	wake_by_ipi(_metadata, &self->vm, variant->ways, variant->vcpus, IPI_XICS);
}

TEST_F_TIMEOUT(stop, ipi_by_xive, 300)
{
	wake_by_ipi(_metadata, &self->vm, variant->ways, variant->vcpus, IPI_XIVE);
}

TEST_F_TIMEOUT(stop, external, 300)
{
	struct kvm_interrupt irq = { .irq = KVM_INTERRUPT_SET };
	u64 i, n = scaled(200);
	u64 *now;

	if (variant->vcpus > 1)
		SKIP(return, "what one vCPU gets does not depend on others");
	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	now = vm_guest(self->vm, heard);
	vcpu_start(&self->vm->vcpu[0], guest_listen, 0, n);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, ioctl(self->vm->vcpu[0].fd, KVM_INTERRUPT, &irq));
		while (__atomic_load_n(now, __ATOMIC_SEQ_CST) == i)
			pause_us(10);
	}
	vcpu_join(&self->vm->vcpu[0]);
	expect_no_program(_metadata, self->vm);
}

TEST_F(stop, psscr)
{
	struct vcpu *vcpu;
	u64 saved, seen;

	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	vcpu = &self->vm->vcpu[0];
	seen = vcpu_call(vcpu, guest_psscr, 0, PSSCR_TR1);
	EXPECT_EQ(PSSCR_TR1, seen & PSSCR_GUEST);
	EXPECT_EQ(0, seen & PSSCR_STATUS);
	ASSERT_EQ(0, vcpu_one_reg(vcpu, KVM_GET_ONE_REG, KVM_REG_PPC_PSSCR, &saved));
	EXPECT_EQ(PSSCR_TR1, saved);
	vm_destroy(self->vm);

	/* As after a migration. */
	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	vcpu = &self->vm->vcpu[0];
	ASSERT_EQ(0, vcpu_one_reg(vcpu, KVM_SET_ONE_REG, KVM_REG_PPC_PSSCR, &saved));
	EXPECT_EQ(PSSCR_TR1, PSSCR_GUEST & vcpu_call(vcpu, guest_psscr, 0, 0));
}

TEST_F(stop, problem_state)
{
	const u64 ea = 0x30000000, slbe = ea | SLBE_V;
	struct interrupts *saw;
	struct vcpu *vcpu;
	struct page page = {
		.vsid = 0x5a5a5,
		.gpa = (unsigned long)user_code,
		.prot = HPTE_R_RW,
		.base_shift = 12,
		.shift = 12,
		.bolted = true,
	};
	const u64 slbv = slb_vsid(page.vsid, page.base_shift, false);

	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	vcpu = &self->vm->vcpu[0];
	vcpu_set_slb(vcpu, 1, &slbe, &slbv);
	vcpu_map(vcpu, &page);

	vcpu_call(vcpu, guest_user_stop, 0, ea);
	saw = vm_guest(self->vm, ints[0]);
	EXPECT_EQ(1, saw->taken[VEC_PROGRAM >> 8]);
	EXPECT_EQ(ea, saw->srr0);
	EXPECT_EQ(SRR1_PRIVILEGED, saw->srr1 & 0x783f0000);
}

/* An exit's cause outlives it: the next program interrupt is no stop. */
TEST_F(stop, others_still_trap)
{
	struct interrupts *saw;

	self->vm = vm_create_stop(variant->ways, variant->vcpus, IPI_NONE);
	try_stop(self->vm);
	vcpu_call(&self->vm->vcpu[0], guest_illegal, 0, 0);
	saw = vm_guest(self->vm, ints[0]);
	EXPECT_EQ(1, saw->taken[VEC_PROGRAM >> 8]);
	EXPECT_EQ(SRR1_ILLEGAL, saw->srr1 & 0x783f0000);
	EXPECT_EQ(0, *(u32 *)vm_host(self->vm, saw->srr0));
}

/* How often a VM that did not ask finds its stop refused, alone and with one beside it. */
static void take_turns(struct __test_metadata *_metadata, struct vm **vm, u64 ways,
		       unsigned int vcpus)
{
	unsigned int i, n = scaled(300);
	u64 alone, beside;
	struct vm *off;

	off = vm_create_stop(0, 1, IPI_NONE);
	for (i = 0; i < n; i++)
		try_stop(off);
	alone = taken(off, 0, VEC_PROGRAM);
	vm_destroy(off);

	*vm = vm_create_stop(ways, vcpus, IPI_NONE);
	off = vm_create_stop(0, 1, IPI_NONE);
	for (i = 0; i < vcpus; i++)
		vcpu_start(&(*vm)->vcpu[i], guest_wake_by_dec, i, n * 8);
	for (i = 0; i < n; i++)
		try_stop(off);
	for (i = 0; i < vcpus; i++)
		vcpu_join(&(*vm)->vcpu[i]);
	beside = taken(off, 0, VEC_PROGRAM);
	vm_destroy(off);
	TH_LOG("%lu of %u refused alone, %lu beside", (long)alone, n, (long)beside);
	EXPECT_EQ(alone, beside);
	expect_no_program(_metadata, *vm);
}

/*
 * Two VMs take turns on one CPU. What the one that did not ask gets must not
 * depend on the other, nor the other way round. It is up to the host's last idle
 * state, so keep the host to one.
 */
TEST_F_TIMEOUT(stop, neighbour, 300)
{
	unsigned int cpu = sched_getcpu();
	unsigned long states;

	stay_on(cpu);
	states = host_allow_idle(cpu, 0);
	take_turns(_metadata, &self->vm, variant->ways, variant->vcpus);
	host_allow_idle(cpu, states);
}

/* Nor where the module leaves the one that did not ask to the host's last idle state. */
TEST_F_TIMEOUT(stop, neighbour_left_alone, 300)
{
	bool traps = stop_param_is("off_traps", "Y");
	unsigned int cpu = sched_getcpu();
	unsigned long states;

	stay_on(cpu);
	/* The first that stops: that one leaves PSSCR clear. */
	states = host_allow_idle(cpu, BIT(1));
	pause_us(100000);
	host_allow_idle(cpu, 0);
	ASSERT_TRUE(module_set_param("guest_stop_off_traps", 0));
	take_turns(_metadata, &self->vm, variant->ways, variant->vcpus);
	EXPECT_TRUE(module_set_param("guest_stop_off_traps", traps));
	host_allow_idle(cpu, states);
}

/*
 * Guests of a guest have to trap, so it must not depend on when a vCPU is loaded
 * anew: here it stays loaded, as nobody else wants its CPU.
 */
TEST(nested_while_running)
{
	const char *why = lacks_stop(STOP_NATIVE);
	struct kvm_enable_cap nested = {
		.cap = KVM_CAP_PPC_NESTED_HV,
		.args = { 1 },
	};
	unsigned int cpu = sched_getcpu();
	struct vm *vm;
	u64 *now, n;

	if (why)
		SKIP(return, "%s", why);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "with one CPU the vCPU is loaded anew in any case");
	vm = vm_create_stop(STOP_NATIVE, 1, IPI_NONE);
	if (!vm_has_ext(vm, KVM_CAP_PPC_NESTED_HV)) {
		vm_destroy(vm);
		SKIP(return, "no guests of guests on this host");
	}
	stay_on(!cpu);
	vcpu_start(&vm->vcpu[0], guest_stop_on, 0, 0);
	stay_on(cpu);
	now = vm_guest(vm, stops[0]);
	await_more(now, 100);
	EXPECT_EQ(0, vm_stops_emulated(vm));
	ASSERT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &nested));
	n = await_more(now, 0);
	n = await_more(now, 100) - n;
	TH_LOG("%ld of %lu stops emulated then", vm_stops_emulated(vm),
	       (long)n);
	/* The first was under way. */
	EXPECT_GE(vm_stops_emulated(vm), n - 1);
	*vm_guest(vm, over) = 1;
	vcpu_join(&vm->vcpu[0]);
	expect_no_program(_metadata, vm);
	vm_destroy(vm);
}

TEST_HARNESS_MAIN
