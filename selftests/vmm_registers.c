// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN leaves the registers of the VMM alone that a function call leaves alone: f14 to f31,
 * v20 to v31, and the special ones that belong to a process. Stock KVM puts the former away
 * before it enters the guest; a thread that is scheduled away after that has them loaded
 * again, and the guest's on top. So a compiler that keeps a pointer there, as GCC does, gets
 * one of the guest's choice. The latter it does not give back at all on a POWER8.
 */
#include <asm/cputable.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

/* Since Linux 6.11. */
#ifndef KVM_REG_PPC_DEXCR
#define KVM_REG_PPC_DEXCR	(KVM_REG_PPC | KVM_REG_SIZE_U64 | 0xc6)
#define KVM_REG_PPC_HASHKEYR	(KVM_REG_PPC | KVM_REG_SIZE_U64 | 0xc7)
#endif

#define REGISTERS	24

static const u64 ours[REGISTERS] = { [0 ... REGISTERS - 1] = 0x766d6d2773206f77ul };

/* f20 to f31 and the first halves of v20 to v31: those two can be had by one instruction. */
#define VSRS	"20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, "	\
		"52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63"

/* The compiler has to know that they change, or it may keep something there. */
#define NON_VOLATILE "fr20", "fr21", "fr22", "fr23", "fr24", "fr25", "fr26", "fr27",	\
	"fr28", "fr29", "fr30", "fr31", "v20", "v21", "v22", "v23", "v24", "v25",	\
	"v26", "v27", "v28", "v29", "v30", "v31"

#define LOAD	".irp vsr, " VSRS "\n\t"	\
		"ld 0, 0(%0)\n\t"		\
		"mtvsrd \\vsr, 0\n\t"		\
		"addi %0, %0, 8\n\t"		\
		".endr"

static __always_inline void load(const u64 *from)
{
	asm volatile(LOAD : "+b"(from) : : "r0", "memory", NON_VOLATILE);
}

static __always_inline void store(u64 *to)
{
	asm volatile(".irp vsr, " VSRS "\n\t"
		     "mfvsrd 0, \\vsr\n\t"
		     "std 0, 0(%0)\n\t"
		     "addi %0, %0, 8\n\t"
		     ".endr" : "+b"(to) : : "r0", "memory", NON_VOLATILE);
}

#define MSR_MATH	0x02802000ul	/* FP, VEC and VSX */

/* The guest has that in all of them, and still does when this has returned. */
static void guest_fills(u64 value)
{
	u64 theirs[REGISTERS], msr, *from = theirs;
	unsigned int i;

	for (i = 0; i < REGISTERS; i++)
		theirs[i] = value;
	asm volatile("mfmsr %0\n\tor %0, %0, %1\n\tmtmsrd %0"
		     : "=&r"(msr) : "r"(MSR_MATH) : "memory");
	asm volatile(LOAD : "+b"(from) : : "r0", "memory");
}

/* Return: how many have another value after the guest has run. */
static unsigned int lost_in_a_run(struct vcpu *vcpu)
{
	u64 found[REGISTERS];
	unsigned int i, lost = 0;

	load(ours);
	vcpu_call(vcpu, guest_fills, 0x6775657374, 0);
	store(found);
	for (i = 0; i < REGISTERS; i++)
		lost += found[i] != ours[i];
	return lost;
}

static bool over;

/* So that the vCPU's thread is scheduled away often. */
static void *yield_always(void *unused)
{
	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		sched_yield();
	return NULL;
}

/* What this thread has run for so far. */
static unsigned long long ran_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/*
 * The vCPU's thread is preempted anywhere, where the kernel can be, and finds other values in
 * the CPU when it comes back. It has most of the CPU's time, however slow the host.
 */
static void *fill_and_sleep(void *unused)
{
	static const u64 mine[REGISTERS] = { [0 ... REGISTERS - 1] = 0x7468697264206f6eul };
	unsigned long long before = ran_ns(), now;
	u64 random = test_seed();

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		now = ran_ns();
		load(mine);
		pause_us((now - before) * (2 + guest_random(&random) % 8) / 1000);
		before = now;
	}
	return NULL;
}

FIXTURE(registers)
{
	struct vm *vm, *other;
	pthread_t competes;
};

FIXTURE_VARIANT(registers)
{
	void *(*competes)(void *unused);
	int policy;
};

FIXTURE_VARIANT_ADD(registers, one_yields)
{
	.competes = yield_always,
	.policy = SCHED_OTHER,
};

FIXTURE_VARIANT_ADD(registers, one_preempts)
{
	.competes = fill_and_sleep,
	.policy = SCHED_FIFO,
};

FIXTURE_SETUP(registers)
{
	const struct sched_param param = {
		.sched_priority = variant->policy == SCHED_FIFO,
	};
	const char *why = vmm_lacks_ext(ROAD_IOCTL);
	cpu_set_t one;

	if (why)
		SKIP(return, "%s", why);
	self->vm = vm_create(.order = HPT_MIN_ORDER);
	self->other = vm_create(.order = HPT_MIN_ORDER);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	ASSERT_EQ(0, pthread_create(&self->competes, NULL, variant->competes, NULL));
	ASSERT_EQ(0, pthread_setschedparam(self->competes, variant->policy, &param));
}

FIXTURE_TEARDOWN(registers)
{
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	pthread_join(self->competes, NULL);
	vm_destroy(self->other);
	vm_destroy(self->vm);
}

TEST_F_TIMEOUT(registers, kept, 300)
{
	unsigned int i, n = scaled(3000), runs = 0, registers = 0;

	for (i = 0; i < n; i++) {
		unsigned int lost = lost_in_a_run(&self->vm->vcpu[0]);

		runs += !!lost;
		registers += lost;
	}
	EXPECT_EQ(0, runs)
		TH_LOG("after %u runs of %u, %u registers in all", runs, n, registers);
}

/* Special ones that user space has, too. */
struct specials {
	u64 dscr, vrsave, tar, ebbhr, ebbrr, bescr;
};

#define SPR(_nr) ({						\
	u64 __value;						\
								\
	asm volatile("mfspr %0, " #_nr : "=r"(__value));	\
	__value;						\
})

#define SET_SPR(_nr, _value) ({					\
	asm volatile("mtspr " #_nr ", %0" : : "r"(_value));	\
})

static void specials_set(const struct specials *to)
{
	SET_SPR(3, to->dscr);
	SET_SPR(256, to->vrsave);
	SET_SPR(815, to->tar);
	SET_SPR(804, to->ebbhr);
	SET_SPR(805, to->ebbrr);
	SET_SPR(806, to->bescr);
}

static void specials_get(struct specials *now)
{
	now->dscr = SPR(3);
	now->vrsave = SPR(256);
	now->tar = SPR(815);
	now->ebbhr = SPR(804);
	now->ebbrr = SPR(805);
	now->bescr = SPR(806);
}

static const struct specials our_specials = {
	.dscr = 5,
	.vrsave = 0x76727361,	/* of 32 bits */
	.tar = 0x7674610,	/* addresses */
	.ebbhr = 0x7665624,
	.ebbrr = 0x7665628,
};

/* All others. */
static const struct specials their_specials = {
	.dscr = 2,
	.vrsave = 0x67727361,
	.tar = 0x6774610,
	.ebbhr = 0x6765624,
	.ebbrr = 0x6765628,
	.bescr = 8,
};

static void guest_fills_specials(void)
{
	specials_set(&their_specials);
}

TEST_F(registers, specials_kept)
{
	struct specials found;

	specials_set(&our_specials);
	vcpu_call(&self->vm->vcpu[0], guest_fills_specials, 0, 0);
	specials_get(&found);
	EXPECT_EQ(our_specials.dscr, found.dscr);
	EXPECT_EQ(our_specials.vrsave, found.vrsave);
	EXPECT_EQ(our_specials.tar, found.tar);
	/*
	 * Since POWER9 KVM looks after the others from the guest's first use on, which comes
	 * to it as HFSCR[EBB] is 0. QEMU's POWER9 and POWER10 let the guest use them all the
	 * same.
	 */
	if (vm_has_ext(self->vm, KVM_CAP_PPC_MMU_HASH_V3))
		return;
	EXPECT_EQ(our_specials.ebbhr, found.ebbhr);
	EXPECT_EQ(our_specials.ebbrr, found.ebbrr);
	EXPECT_EQ(our_specials.bescr, found.bescr);
}

/* Nor may a thread that it creates get the guest's, as what the kernel has saved of it. */
TEST_F_TIMEOUT(registers, specials_of_a_child, 300)
{
	unsigned int i, n = scaled(300), wrong = 0;
	struct specials found;
	int status;
	pid_t pid;

	for (i = 0; i < n; i++) {
		specials_set(&our_specials);
		vcpu_call(&self->vm->vcpu[0], guest_fills_specials, 0, 0);
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			specials_get(&found);
			_exit(found.vrsave != our_specials.vrsave ||
			      found.tar != our_specials.tar);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		wrong += !!status;
	}
	EXPECT_EQ(0, wrong)
		TH_LOG("%u of %u", wrong, n);
}

/* What a guest has of its own. */
struct hash {
	u64 dexcr, hashkeyr;
};

static struct hash found_hash;

static void guest_hash(u64 dexcr, u64 hashkeyr)
{
	found_hash.dexcr = SPR(828);
	found_hash.hashkeyr = SPR(468);
	SET_SPR(828, dexcr);
	SET_SPR(468, hashkeyr);
}

#define TB_HZ	512000000ul

/* For longer than a thread may run at a stretch. Return: how often they were others. */
static u64 guest_watches_hash(u64 dexcr, u64 hashkeyr)
{
	u64 begin = guest_timebase(), wrong = 0;

	guest_hash(dexcr, hashkeyr);
	while (guest_timebase() - begin < TB_HZ / 4)
		wrong += SPR(828) != dexcr || SPR(468) != hashkeyr;
	return wrong;
}

static u64 get_reg(struct vm *vm, u64 id)
{
	u64 value;

	if (vcpu_one_reg(&vm->vcpu[0], KVM_GET_ONE_REG, id, &value))
		die("KVM_GET_ONE_REG");
	return value;
}

static void set_reg(struct vm *vm, u64 id, u64 value)
{
	if (vcpu_one_reg(&vm->vcpu[0], KVM_SET_ONE_REG, id, &value))
		die("KVM_SET_ONE_REG");
}

/* Why this host does not keep a guest's apart, or NULL. */
static const char *shares_hash(struct vm *vm)
{
	u64 value;

	if (!(getauxval(AT_HWCAP2) & PPC_FEATURE2_ARCH_3_1))
		return "this CPU has no DEXCR";
	if (vcpu_one_reg(&vm->vcpu[0], KVM_GET_ONE_REG, KVM_REG_PPC_DEXCR, &value))
		return "this kernel has no place for a guest's DEXCR";
	return NULL;
}

static const struct hash guests_hash[2] = {
	{ 0x80000000, 0x6b6579 }, { 0x10000000, 0x79656b },
};

/* DEXCR, as user space can read it. */
#define OUR_DEXCR	SPR(812)

TEST_F(registers, hash_apart)
{
	const char *why = shares_hash(self->vm);
	struct vm *vm[2] = { self->vm, self->other };
	u64 before;
	int i;

	if (why)
		SKIP(return, "%s", why);
	before = OUR_DEXCR;
	for (i = 0; i < 4; i++) {
		const struct hash *hash = &guests_hash[i % 2];
		struct hash *found = vm_guest(vm[i % 2], found_hash);

		vcpu_call(&vm[i % 2]->vcpu[0], guest_hash, hash->dexcr, hash->hashkeyr);
		EXPECT_EQ(before, OUR_DEXCR);
		EXPECT_EQ(hash->dexcr, get_reg(vm[i % 2], KVM_REG_PPC_DEXCR));
		EXPECT_EQ(hash->hashkeyr, get_reg(vm[i % 2], KVM_REG_PPC_HASHKEYR));
		EXPECT_EQ(i < 2 ? 0 : hash->dexcr, found->dexcr);
		EXPECT_EQ(i < 2 ? 0 : hash->hashkeyr, found->hashkeyr);
	}
	/* As after a migration. */
	set_reg(vm[0], KVM_REG_PPC_DEXCR, 0x08000000);
	set_reg(vm[0], KVM_REG_PPC_HASHKEYR, 0x6d6f766564);
	vcpu_call(&vm[0]->vcpu[0], guest_hash, 0, 0);
	EXPECT_EQ(0x08000000, vm_guest(vm[0], found_hash)->dexcr);
	EXPECT_EQ(0x6d6f766564, vm_guest(vm[0], found_hash)->hashkeyr);
}

/* Two threads that run guests on one CPU, and a third one beside them. */
TEST_F_TIMEOUT(registers, hash_apart_at_the_same_time, 60)
{
	const char *why = shares_hash(self->vm);
	u64 before, others = 0;
	struct vm *vm[2] = { self->vm, self->other };
	int i;

	if (why)
		SKIP(return, "%s", why);
	before = OUR_DEXCR;
	for (i = 0; i < 2; i++)
		vcpu_start(&vm[i]->vcpu[0], guest_watches_hash, guests_hash[i].dexcr,
			   guests_hash[i].hashkeyr);
	for (i = 0; i < 100; i++) {
		others += before != OUR_DEXCR;
		pause_us(1000);
	}
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, vcpu_join(&vm[i]->vcpu[0]));
	EXPECT_EQ(0, others);
}

TEST_HARNESS_MAIN
