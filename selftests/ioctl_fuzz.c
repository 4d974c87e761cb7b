// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile VMMs: random ioctls, the module's and those of KVM's that meet it, by several
 * threads and processes, with guests that make hcalls meanwhile. The host's log stays
 * clean, all memory comes back, and whoever wants to end can.
 *
 * KVM_HV_EXT_SEED repeats a run, as far as threads do not race: exactly, where there is
 * only one and the guest stands still. KVM_HV_EXT_LONG makes it longer than some seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm_hv_ext.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define SECONDS		4
#define MAX_THREADS	3
#define MAX_VMS		2
#define NR_FDS		8	/* descriptors that a thread keeps for later */
#define POOL		(32 * MIB)	/* what memslots are made of */
#define NR_SLOTS	8
#define BUSY_VCPUS	2
#define LAST_VCPU	7

enum deed {
	PREPARE, COMMIT, ENABLE_OURS, ENABLE_HCALL, CHECK, STATE, CHECK_MEMORY, HOLD, NOTIFY,
	MEMSLOT, LOG_RAM, DIRTY_LOG, HTAB_FD, HTAB_READ, HTAB_WRITE, RESET, MMU, RESET_STOPPED,
	VCPU, DEVICE, SMMU, TAKE_AWAY, SHOW, CLOSE, NOBODYS, NR_DEEDS
};

static const char * const names[NR_DEEDS] = {
	"prepare", "commit", "enable", "enable-hcall", "check", "state", "check-memory", "hold",
	"notify", "memslot", "log-ram", "dirty-log", "htab-fd", "htab-read", "htab-write",
	"reset", "mmu", "reset-stopped", "vcpu", "device", "smmu", "take-away", "show", "close",
	"nobodys",
};

/* How often each, by all threads and processes, and with success. */
struct counts {
	unsigned long tried[NR_DEEDS], done[NR_DEEDS];
	unsigned long exits;
};

/* What the threads of a process share. */
struct victim {
	struct vm *vm;
	void *pool;
	struct counts *counts;
	volatile bool stop, over;	/* vCPUs: for a moment, for good */
	volatile int running;
};

struct fuzzer {
	struct victim *victim;
	pthread_t thread;
	u64 random;
	int fd[NR_FDS];
	unsigned long long end;
};

static u64 pick(struct fuzzer *f, u64 n)
{
	return guest_random(&f->random) % n;
}

static bool one_in(struct fuzzer *f, unsigned int n)
{
	return !pick(f, n);
}

/* The guest's side, which may go wrong at any time: the VMM takes it all away. */
static void guest_fuzz(u64 seed, u64 vcpu)
{
	for (;;) {
		u64 r = guest_random(&seed);
		u64 index = (r % 2048) * HPTES_PER_GROUP + (r >> 20) % 7;
		struct page page = {
			.vsid = 0x1000 + vcpu,
			.offset = (r >> 24 & 0xffff) << 12,
			.gpa = r >> 61 ? GUEST_DATA + ((r >> 40) % 128 << 16) :
			       ((r >> 40) % 64) << 24,
			.prot = HPTE_R_RW,
			.base_shift = 12,
			.shift = 12,
			.bolted = !(r >> 60),
		};

		guest_hcall4(H_ENTER, H_EXACT, index, page_v(&page), page_r(&page));
		guest_hcall4(H_PROTECT, r & HPTE_R_PP, index ^ 8, 0, 0);
		guest_hcall4(H_REMOVE, 0, index ^ 16, 0, 0);
		if (!(r >> 40 & 31))
			guest_hcall4(r & 1 ? H_RESIZE_HPT_PREPARE : H_RESIZE_HPT_COMMIT, 0,
				     HPT_MIN_ORDER + 2 + (r >> 50) % 4, 0, 0);
		if (!(r >> 45 & 127))
			guest_hcall4(0xf0e0, 0, 0, 0, 0);
	}
}

static void nothing(int sig)
{
}

struct runner {
	struct victim *victim;
	struct vcpu *vcpu;
	pthread_t thread;
	u64 seed;
};

/* Whatever KVM_RUN says, once more; after what the guest did not do itself from anew. */
static void *run_vcpu(void *arg)
{
	struct runner *me = arg;
	struct victim *victim = me->victim;
	struct vcpu *vcpu = me->vcpu;
	bool hcall = false;

	while (!victim->over) {
		if (victim->stop) {
			pause_us(200);
			continue;
		}
		if (!hcall)
			vcpu_aim(vcpu, guest_fuzz, me->seed++ | 1, vcpu->id);
		__sync_fetch_and_add(&victim->running, 1);
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			hcall = errno == EINTR;
			if (!hcall)
				pause_us(1000);
		} else {
			hcall = vcpu->run->exit_reason == KVM_EXIT_PAPR_HCALL;
			vcpu->run->papr_hcall.ret = (u64)H_FUNCTION;
		}
		vcpu->hcall_pending = hcall;
		__sync_fetch_and_sub(&victim->running, 1);
		__sync_fetch_and_add(&victim->counts->exits, 1);
	}
	return NULL;
}

static u64 some_shift(struct fuzzer *f)
{
	static const u64 shifts[] = { 0, 1, 17, 37, 46, 47, 255, 1u << 31, ~0u };

	if (pick(f, 8))
		return vm_least_order() + pick(f, 5);
	return shifts[pick(f, ARRAY_SIZE(shifts))];
}

/* Mostly 0. */
static u64 some_bits(struct fuzzer *f)
{
	return pick(f, 6) ? 0 : 1ull << pick(f, 64);
}

static u64 some_gpa(struct fuzzer *f)
{
	static const u64 gpas[] = {
		256 * MIB, 512 * MIB, 1ull << 40, 1ull << 45, 1ull << 63, ~0ull << 16, 0,
		16 * MIB,
	};

	return gpas[pick(f, ARRAY_SIZE(gpas))] + (one_in(f, 6) ? pick(f, 0x100000) : 0);
}

/* Where the VMM has memory, or has none. */
static u64 some_hva(struct fuzzer *f)
{
	switch (pick(f, 10)) {
	case 0:
		return guest_random(&f->random);
	case 1:
		return 0xc000000000000000ull;
	case 2:
		return 0x10000 * pick(f, 64);
	default:
		return (u64)f->victim->pool + pick(f, 16) * (POOL / 16);
	}
}

static u64 some_size(struct fuzzer *f)
{
	switch (pick(f, 8)) {
	case 0:
		return 0;
	case 1:
		return guest_random(&f->random);
	default:
		return (1 + pick(f, 8)) * (POOL / 16);
	}
}

static void keep_fd(struct fuzzer *f, int fd)
{
	int *keep = &f->fd[pick(f, NR_FDS)];

	if (fd < 0)
		return;
	if (*keep >= 0)
		close(*keep);
	*keep = fd;
}

static long enable_ours(struct fuzzer *f)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_HV_EXT + pick(f, 6),
		.flags = some_bits(f),
	};

	switch (cap.cap) {
	case KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT:
		/* A limit that memory does not keep would be the end of the guest. */
		cap.args[0] = one_in(f, 4) ? guest_random(&f->random) | 64 :
			      __builtin_ctzl(sysconf(_SC_PAGESIZE));
		break;
	default:
		cap.args[0] = one_in(f, 4) ? guest_random(&f->random) : pick(f, 4);
	}
	cap.args[1] = one_in(f, 4) ? guest_random(&f->random) : pick(f, 2);
	return ioctl(f->victim->vm->fd, KVM_ENABLE_CAP, &cap);
}

static long enable_hcall(struct fuzzer *f)
{
	static const u64 hcalls[] = {
		H_REMOVE, H_ENTER, H_READ, H_CLEAR_MOD, H_CLEAR_REF, H_PROTECT,
		H_BULK_REMOVE, H_RESIZE_HPT_PREPARE, H_RESIZE_HPT_COMMIT, 0xfffc,
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_ENABLE_HCALL,
		.flags = some_bits(f),
		.args = {
			hcalls[pick(f, ARRAY_SIZE(hcalls))] + (one_in(f, 16) ? 2 : 0),
			one_in(f, 16) ? guest_random(&f->random) : pick(f, 4) > 0,
		},
	};

	return ioctl(f->victim->vm->fd, KVM_ENABLE_CAP, &cap);
}

static long memslot(struct fuzzer *f)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1 + pick(f, NR_SLOTS) + (one_in(f, 32) ? 0x10000 : 0),
		.flags = one_in(f, 16) ? guest_random(&f->random) :
			 pick(f, 4) ? 0 : KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = some_gpa(f),
		.memory_size = some_size(f),
		.userspace_addr = some_hva(f),
	};

	return ioctl(f->victim->vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static long check_memory(struct fuzzer *f)
{
	struct kvm_ppc_check_memory arg = {
		.guest_addr = some_gpa(f),
		.host_addr = some_hva(f),
		.size = some_size(f),
		.flags = some_bits(f),
	};

	arg.reserved[pick(f, 4)] = some_bits(f);
	return ioctl(f->victim->vm->fd, KVM_PPC_CHECK_MEMORY,
		     one_in(f, 16) ? (void *)16 : &arg);
}

static long balloon(struct fuzzer *f, u32 op)
{
	struct kvm_ppc_balloon_inhibit arg = {
		.op = one_in(f, 16) ? guest_random(&f->random) : op,
		.eventfd = one_in(f, 8) ? (int)pick(f, 64) - 1 : f->fd[pick(f, NR_FDS)],
	};
	long ret;

	arg.reserved[pick(f, 3)] = some_bits(f);
	if (op == KVM_PPC_BALLOON_NOTIFY && one_in(f, 2)) {
		arg.eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		keep_fd(f, arg.eventfd);
	}
	ret = ioctl(f->victim->vm->fd, KVM_PPC_BALLOON_INHIBIT, &arg);
	if (ret > 0 && arg.op == KVM_PPC_BALLOON_HOLD)
		keep_fd(f, ret);
	return ret;
}

/* Room for the dirty bits of the largest memslot that can be made. */
static long dirty_log(struct fuzzer *f)
{
	static __thread unsigned long bits[POOL / 4096 / 64];
	struct kvm_dirty_log log = {
		.slot = pick(f, NR_SLOTS + 2),
		.dirty_bitmap = one_in(f, 16) ? (void *)32 : bits,
	};

	return ioctl(f->victim->vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static long htab_open(struct fuzzer *f)
{
	struct kvm_get_htab_fd arg = {
		.flags = one_in(f, 8) ? guest_random(&f->random) : pick(f, 4),
		.start_index = one_in(f, 2) ? 0 : guest_random(&f->random),
	};
	long fd = ioctl(f->victim->vm->fd, KVM_PPC_GET_HTAB_FD, &arg);

	keep_fd(f, fd);
	return fd;
}

static long htab_rw(struct fuzzer *f, bool write_it)
{
	/* Valid entries that cannot be entered are a line of KVM's in the log. */
	static __thread char buf[4096], zeros[64];
	struct kvm_get_htab_header *header = (void *)zeros;
	int fd = f->fd[pick(f, NR_FDS)];

	if (!write_it)
		return read(fd, buf, sizeof(buf));
	header->index = guest_random(&f->random) >> (32 + pick(f, 32));
	header->n_valid = pick(f, 3);
	header->n_invalid = pick(f, 64);
	return write(fd, zeros, sizeof(*header) + 16 * header->n_valid);
}

static long reset(struct fuzzer *f)
{
	u32 order = some_shift(f);

	return ioctl(f->victim->vm->fd, KVM_PPC_ALLOCATE_HTAB,
		     one_in(f, 16) ? (void *)8 : &order);
}

static long mmu(struct fuzzer *f)
{
	struct kvm_ppc_mmuv3_cfg cfg = { .flags = some_bits(f) };

	if (one_in(f, 3)) {
		cfg.flags = KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE;
		cfg.process_table = 1ull << 63;
	}
	return ioctl(f->victim->vm->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg);
}

/* With the vCPUs out of KVM for a moment: what is refused otherwise. */
static long reset_stopped(struct fuzzer *f)
{
	struct victim *victim = f->victim;
	unsigned long long end = now_us() + 20000;
	unsigned int i, n = 1 + pick(f, 4);
	long ret = -1;

	victim->stop = true;
	for (i = 0; i < BUSY_VCPUS; i++)
		victim->vm->vcpu[i].run->immediate_exit = 1;
	while (victim->running && now_us() < end) {
		for (i = 0; i < BUSY_VCPUS; i++)
			if (victim->vm->vcpu[i].threaded)
				pthread_kill(victim->vm->vcpu[i].thread, SIGUSR1);
		pause_us(100);
	}
	while (n--)
		ret = one_in(f, 2) ? reset(f) : mmu(f);
	for (i = 0; i < BUSY_VCPUS; i++)
		victim->vm->vcpu[i].run->immediate_exit = 0;
	victim->stop = false;
	return ret;
}

static long new_vcpu(struct fuzzer *f)
{
	long fd = ioctl(f->victim->vm->fd, KVM_CREATE_VCPU,
			one_in(f, 4) ? guest_random(&f->random) :
				       8 * (BUSY_VCPUS + pick(f, LAST_VCPU)));

	if (fd >= 0) {
		struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };

		if (one_in(f, 2))
			ioctl(fd, KVM_ENABLE_CAP, &papr);
		keep_fd(f, fd);
	}
	return fd;
}

static long device(struct fuzzer *f)
{
	static const u32 types[] = { KVM_DEV_TYPE_VFIO, KVM_DEV_TYPE_XICS, KVM_DEV_TYPE_XIVE };
	struct kvm_create_device create = { .type = types[pick(f, ARRAY_SIZE(types))] };
	int fd = f->fd[pick(f, NR_FDS)];
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = pick(f, 4),
		.addr = one_in(f, 8) ? 8 : (u64)&fd,
	};
	long ret;

	/* One of those that there are is asked, or there is one more. */
	if (one_in(f, 2))
		return ioctl(f->fd[pick(f, NR_FDS)], KVM_SET_DEVICE_ATTR, &attr);
	ret = ioctl(f->victim->vm->fd, KVM_CREATE_DEVICE, &create);
	if (!ret)
		keep_fd(f, create.fd);
	return ret;
}

/* The host's side of it: memory goes, comes back, is protected. */
static long take_away(struct fuzzer *f)
{
	void *mem = f->victim->pool + pick(f, 16) * (POOL / 16);
	unsigned long size = POOL / 16;

	switch (pick(f, 4)) {
	case 0:
		return mprotect(mem, size, PROT_READ);
	case 1:
		return mprotect(mem, size, PROT_READ | PROT_WRITE);
	case 2:
		return madvise(mem, size, pick(f, 2) ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	default:
		return madvise(mem, size, MADV_DONTNEED);
	}
}

static long show(struct fuzzer *f)
{
	static const char * const files[] = {
		"state", "counters", "resizes", "hpt_order", "strategy", "guest_stop",
		"balloon", "backing",
	};
	char text[4096];
	long ret;
	int fd;

	fd = open(vm_shown_path(f->victim->vm, files[pick(f, ARRAY_SIZE(files))]),
		  O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = read(fd, text, sizeof(text));
	close(fd);
	return ret;
}

static long close_one(struct fuzzer *f)
{
	int *fd = &f->fd[pick(f, NR_FDS)];
	long ret = *fd < 0 ? -1 : close(*fd);

	*fd = -1;
	return ret;
}

static long log_ram(struct fuzzer *f)
{
	/* Not long: nothing is resized meanwhile. */
	long ret = vm_slot_set(f->victim->vm, 0, 0, KVM_MEM_LOG_DIRTY_PAGES);

	pause_us(pick(f, 500));
	return vm_slot_set(f->victim->vm, 0, 0, 0) ?: ret;
}

static long do_one(struct fuzzer *f, enum deed deed)
{
	struct kvm_ppc_resize_hpt resize = { .flags = some_bits(f), .shift = some_shift(f) };
	struct kvm_ppc_hv_ext_state state;
	struct kvm_ppc_smmu_info smmu;
	int vm = f->victim->vm->fd;

	switch (deed) {
	case PREPARE:
		return ioctl(vm, KVM_PPC_RESIZE_HPT_PREPARE, one_in(f, 16) ? NULL : &resize);
	case COMMIT:
		return ioctl(vm, KVM_PPC_RESIZE_HPT_COMMIT, one_in(f, 16) ? NULL : &resize);
	case ENABLE_OURS:
		return enable_ours(f);
	case ENABLE_HCALL:
		return enable_hcall(f);
	case CHECK:
		return ioctl(vm, KVM_CHECK_EXTENSION, one_in(f, 4) ? pick(f, 300) :
			     KVM_CAP_PPC_HV_EXT - 1 + pick(f, 8));
	case STATE:
		return ioctl(vm, KVM_PPC_HV_EXT_STATE, one_in(f, 8) ? (void *)8 : &state);
	case CHECK_MEMORY:
		return check_memory(f);
	case HOLD:
		return balloon(f, KVM_PPC_BALLOON_HOLD);
	case NOTIFY:
		return balloon(f, KVM_PPC_BALLOON_NOTIFY);
	case MEMSLOT:
		return memslot(f);
	case LOG_RAM:
		return one_in(f, 8) ? log_ram(f) : -1;
	case DIRTY_LOG:
		return dirty_log(f);
	case HTAB_FD:
		return one_in(f, 4) ? htab_open(f) : -1;
	case HTAB_READ:
		return htab_rw(f, false);
	case HTAB_WRITE:
		return htab_rw(f, true);
	case RESET:
		return reset(f);
	case MMU:
		return mmu(f);
	case RESET_STOPPED:
		return one_in(f, 16) ? reset_stopped(f) : -1;
	case VCPU:
		return new_vcpu(f);
	case DEVICE:
		return device(f);
	case SMMU:
		return ioctl(vm, KVM_PPC_GET_SMMU_INFO, one_in(f, 8) ? NULL : &smmu);
	case TAKE_AWAY:
		return take_away(f);
	case SHOW:
		return show(f);
	case CLOSE:
		return close_one(f);
	default:
		return ioctl(vm, _IOC(pick(f, 4), KVMIO, 0xe0 + pick(f, 0x20), pick(f, 256)),
			     &state);
	}
}

static void *fuzz(void *arg)
{
	struct fuzzer *f = arg;
	struct counts *counts = f->victim->counts;
	unsigned int i;

	for (i = 0; i < NR_FDS; i++)
		f->fd[i] = -1;
	while (now_us() < f->end) {
		enum deed deed = pick(f, NR_DEEDS);

		__sync_fetch_and_add(&counts->tried[deed], 1);
		if (do_one(f, deed) >= 0)
			__sync_fetch_and_add(&counts->done[deed], 1);
	}
	for (i = 0; i < NR_FDS; i++)
		if (f->fd[i] >= 0)
			close(f->fd[i]);
	return NULL;
}

/* A process with a VM that is fuzzed, and perhaps one more that has inherited it. */
static void be_victim(struct counts *counts, u64 seed, unsigned int threads, bool guest,
		      unsigned long ms)
{
	struct victim victim = { .counts = counts, .vm = vm_create(.vcpus = BUSY_VCPUS) };
	unsigned long long end = now_us() + ms * 1000ull;
	struct runner runner[BUSY_VCPUS];
	const struct sigaction interrupts = { .sa_handler = nothing };
	struct fuzzer f[MAX_THREADS];
	bool is_heir = false;
	unsigned int i;
	pid_t heir = 0;

	victim.pool = vmm_map_backing(POOL, sysconf(_SC_PAGESIZE));
	sigaction(SIGUSR1, &interrupts, NULL);
	for (i = 0; guest && i < BUSY_VCPUS; i++) {
		runner[i] = (struct runner) {
			.victim = &victim,
			.vcpu = &victim.vm->vcpu[i],
			.seed = seed + 1000 * i,
		};
		pthread_create(&victim.vm->vcpu[i].thread, NULL, run_vcpu, &runner[i]);
		victim.vm->vcpu[i].threaded = true;
	}
	if (threads > 1)
		heir = fork();
	if (threads > 1 && !heir) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		is_heir = true;
		threads = 1;
		seed++;
	}
	for (i = 0; i < threads; i++) {
		f[i] = (struct fuzzer) {
			.victim = &victim,
			.random = (seed + 0x9e3779b97f4a7c15ull * i) | 1,
			.end = end,
		};
		pthread_create(&f[i].thread, NULL, fuzz, &f[i]);
	}
	for (i = 0; i < threads; i++)
		pthread_join(f[i].thread, NULL);
	if (is_heir)
		_exit(0);
	if (heir > 0)
		waitpid(heir, NULL, 0);
	victim.over = true;
	for (i = 0; guest && i < BUSY_VCPUS; i++)
		while (pthread_tryjoin_np(victim.vm->vcpu[i].thread, NULL)) {
			pthread_kill(victim.vm->vcpu[i].thread, SIGUSR1);
			pause_us(1000);
		}
	_exit(0);
}

FIXTURE(fuzz)
{
	struct counts *counts;
	int kmsg;
};

FIXTURE_VARIANT(fuzz)
{
	unsigned int vms, threads;
	bool guest;
};

/* That can be repeated. */
FIXTURE_VARIANT_ADD(fuzz, alone)
{
	.vms = 1,
	.threads = 1,
};

FIXTURE_VARIANT_ADD(fuzz, with_a_guest)
{
	.vms = 1,
	.threads = 1,
	.guest = true,
};

FIXTURE_VARIANT_ADD(fuzz, many)
{
	.vms = MAX_VMS,
	.threads = MAX_THREADS,
	.guest = true,
};

FIXTURE_SETUP(fuzz)
{
	const char *why = vmm_lacks_ext(ROAD_HCALL);

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->counts = mmap(NULL, sizeof(*self->counts), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->counts);
}

FIXTURE_TEARDOWN(fuzz)
{
	close(self->kmsg);
	munmap(self->counts, sizeof(*self->counts));
}

/* Beyond the time that it is to take, how long until all have ended. */
#define PATIENCE_MS	60000

TEST_F_TIMEOUT(fuzz, ioctls, 100000)
{
	static const enum deed easy[] = {
		PREPARE, ENABLE_HCALL, CHECK, STATE, HOLD, MEMSLOT, SHOW, TAKE_AWAY, CLOSE,
	};
	unsigned long ms = scaled(SECONDS * 1000) / (variant->threads > 1 ? 1 : 2);
	unsigned long long end;
	u64 seed = test_seed();
	struct mem_use before;
	unsigned int i, ended = 0;
	unsigned long tried = 0, done = 0;
	pid_t pid[MAX_VMS];
	char text[1024] = "";
	int status, bad = 0;

	mem_use(&before);
	for (i = 0; i < variant->vms; i++) {
		pid[i] = fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			be_victim(self->counts, seed + 7919 * i, variant->threads,
				  variant->guest, ms);
		}
	}
	/* Half of them are killed in the middle, if there are several. */
	end = now_us() + (ms + PATIENCE_MS) * 1000ull;
	if (variant->vms > 1) {
		pause_us(ms * 500);
		kill(pid[0], SIGKILL);
	}
	while (ended < variant->vms && now_us() < end) {
		pid_t child = waitpid(-1, &status, WNOHANG);

		if (child > 0) {
			ended++;
			bad += !(WIFEXITED(status) && !WEXITSTATUS(status)) &&
			       !(variant->vms > 1 && child == pid[0]);
		} else {
			pause_us(10000);
		}
	}
	EXPECT_EQ(variant->vms, ended);
	EXPECT_EQ(0, bad);

	for (i = 0; i < NR_DEEDS; i++) {
		tried += self->counts->tried[i];
		done += self->counts->done[i];
		sprintf(text + strlen(text), " %s %lu/%lu", names[i], self->counts->done[i],
			self->counts->tried[i]);
	}
	counted(tried, "ioctls");
	TH_LOG("%lu ioctls, %lu with success, %lu exits of vCPUs:%s", tried, done,
	       self->counts->exits, text);
	/* These can be done at any time, or this was no fuzzing. */
	for (i = 0; i < ARRAY_SIZE(easy); i++) {
		done = self->counts->done[easy[i]];
		EXPECT_LT(0, done)
			TH_LOG("%s", names[easy[i]]);
	}
	EXPECT_TRUE(mem_returned(&before, 5000));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
