// SPDX-License-Identifier: GPL-2.0
/*
 * Tables that are warm: entries have their host pages before COMMIT. So whatever the
 * host does to the guest's memory while a resize is prepared, at COMMIT and right after,
 * has to reach the new table, too (lib/attack.h). vCPUs use their pages all the time, by
 * two entries for each and a third that comes and goes, and remove, enter, protect,
 * clear and read them. The table grows and shrinks in turn, down to an order where
 * some of the entries fold onto others.
 *
 * After each COMMIT everybody is held, and the guest sees each page as the host does:
 * an entry whose page is gone would show another one, and swallow what is stored. Each
 * byte of the memory is as the vCPUs have stored it, and the dirty log has each page
 * that they have stored to since it was read, and none that they never store to. (Stock
 * KVM logs a page again that has been stored to earlier, was unmapped and comes back.)
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "attack.h"
#include "guest.h"
#include "host.h"
#include "kmsg.h"
#include "memory.h"
#include "view.h"
#include "vmm.h"

#define ORDER		20
#define ORDERS		3	/* from the least */
#define GPA		(256 * MIB)
#define ELSEWHERE	(512 * MIB)
#define PAGES		128
#define SLOT		1
#define WORKERS		2
#define POLL_US		300
#define GUEST_YIELD	0xf0e0	/* an hcall that only leaves the guest */

/* Of each page: the words of the guest, and that of the host. */
#define WORDS		8
#define HOST_WORD	1024

/* No working vCPU stores to these, so that they are alike, for KSM. */
#define IS_QUIET(nr)	((nr) % 4 == 3)

/* And the guest does not store to these at all. */
#define IS_UNTOUCHED(nr)	((nr) % 8 == 7)

/*
 * The third entry for a page, not bolted, by the number of its address in the view. In the
 * smallest table the second of these is in the slot of the first one of another page,
 * and the last one in that of a bolted entry of another page; in larger ones in slots of
 * their own. All those pages are one vCPU's.
 */
#define THIRDS		3
static const struct {
	unsigned int nr, slot;
} third[THIRDS] = {
	{ 1024, VIEW_SLOT + 1 },
	{ 1024 + VIEW_MAX, VIEW_SLOT + 1 },
	{ VIEW_MAX, VIEW_SLOT },
};

/* What the vCPUs may do. */
enum mode {
	WORK,		/* whatever they like */
	USE,		/* not what goes by an entry's index: that changes with COMMIT */
	REST,
};

/* Of the guest. */
static struct view view;
static volatile u64 last[PAGES][WORDS];	/* what the page's owner has stored */
static volatile bool stored[PAGES];	/* since the dirty log was read */
static volatile u64 mode, at[WORKERS];
static volatile bool over;
static volatile bool lossy;		/* the host discards pages */
static volatile u64 order, done[WORKERS];
static volatile u64 seen[2][PAGES];

static u64 index_of_page(const struct page *page, unsigned int slot)
{
	return hash_group(page_hash(page), false, order) * HPTES_PER_GROUP + slot;
}

static u64 index_of(unsigned int nr, unsigned int slot)
{
	struct page page = view_page(&view, nr);

	return index_of_page(&page, slot);
}

/* In the page. */
static unsigned long word_at(unsigned int word, unsigned int shift)
{
	return (1ul << shift) / WORDS * word + 16;
}

static void guest_check(unsigned int nr, unsigned int word, u64 was)
{
	if (was != last[nr][word] && !(lossy && !was))
		guest_fail(__LINE__, was, last[nr][word]);
}

/*
 * By any entry for the page: the bolted ones are there, the second may be out of the
 * table just now or read-only, for another vCPU changes that.
 */
static void guest_use(unsigned int nr, u64 random)
{
	unsigned int word = random >> 8 & (WORDS - 1);
	u64 offset = word_at(word, view.shift), was;
	u64 ea = view_ea(&view, nr) + offset;
	u64 other = view_ea(&view, nr + PAGES) + offset;

	if (random & 1 && guest_load(other, &was))
		guest_check(nr, word, was);
	if (!guest_load(ea, &was))
		guest_fail(__LINE__, nr, 0);
	guest_check(nr, word, was);
	if (IS_QUIET(nr))
		return;
	if (!(random & 2 && guest_store(other, random)) && !guest_store(ea, random))
		guest_fail(__LINE__, nr, 0);
	last[nr][word] = random;
	stored[nr] = true;
}

static long guest_enter(const struct page *page, unsigned int slot)
{
	u64 regs[9] = {
		H_EXACT, index_of_page(page, slot), page_v(page), page_r(page),
	};

	return guest_hcall(H_ENTER, regs);
}

static void guest_enter_again(unsigned int nr)
{
	struct page page = view_page(&view, nr);

	GUEST_ASSERT_EQ(H_SUCCESS, guest_enter(&page, VIEW_SLOT));
}

static void guest_remove(const struct page *page, unsigned int slot)
{
	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_REMOVE, H_AVPN,
						index_of_page(page, slot),
						page_avpn(page), 0));
}

/* Two that this vCPU may change. */
static void guest_remove_bulk(unsigned int nr, unsigned int nr2)
{
	struct page page = view_page(&view, nr), page2 = view_page(&view, nr2);
	u64 regs[9] = {
		HBR_REQUEST | HBR_AVPN | index_of(nr, VIEW_SLOT), page_avpn(&page),
		HBR_REQUEST | HBR_AVPN | index_of(nr2, VIEW_SLOT), page_avpn(&page2),
		HBR_END,
	};

	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_BULK_REMOVE, regs));
	GUEST_ASSERT_EQ(0, regs[0] & HBR_CODE);
	GUEST_ASSERT_EQ(0, regs[2] & HBR_CODE);
}

static void guest_protect(unsigned int nr, u64 index)
{
	u64 ea = view_ea(&view, nr) + HOST_WORD, val;

	GUEST_ASSERT_EQ(H_SUCCESS,
			guest_hcall4(H_PROTECT, HPTE_R_RO, index, 0, 0));
	if (!guest_load(ea, &val) || guest_store(ea, ~val))
		guest_fail(__LINE__, nr, index);
	GUEST_ASSERT_EQ(H_SUCCESS,
			guest_hcall4(H_PROTECT, HPTE_R_RW, index, 0, 0));
}

static void guest_read(unsigned int nr, u64 index)
{
	struct page page = view_page(&view, nr);
	u64 regs[9] = { 0, index };

	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_READ, regs));
	GUEST_ASSERT_EQ(page_v(&page), regs[0] & ~HPTE_V_HOST_BITS);
	GUEST_ASSERT_EQ(page.gpa, regs[1] & HPTE_R_RPN & -(1ull << view.shift));
}

/* It is there or not, as its slot was free, and as it survived shrinking. */
static void guest_third(unsigned int nr, u64 random)
{
	unsigned int which = random % THIRDS, word = random >> 8 & (WORDS - 1);
	/* Not where another entry for this page is, in the smallest table. */
	unsigned int nr3 = third[which].nr + (nr + which * WORKERS) % PAGES;
	u64 ea = view_ea(&view, nr3) + word_at(word, view.shift), was;
	struct page page = view_page(&view, nr3);

	page.gpa = view_page(&view, nr).gpa;
	page.bolted = false;
	if (!guest_load(ea, &was)) {
		long ret = guest_enter(&page, third[which].slot);

		if (ret == H_PTEG_FULL)
			return;
		GUEST_ASSERT_EQ(H_SUCCESS, ret);
		if (!guest_load(ea, &was))
			guest_fail(__LINE__, nr, which);
	}
	guest_check(nr, word, was);
	if (!IS_QUIET(nr) && guest_store(ea, random)) {
		last[nr][word] = random;
		stored[nr] = true;
	}
	if (random >> 16 & 1)
		guest_remove(&page, third[which].slot);
}

static void guest_change(u64 random, u64 me)
{
	unsigned int nr = random % (PAGES / WORKERS) * WORKERS + me;
	/* The second entry of another vCPU's page. */
	unsigned int nr2 = (nr + 1) % PAGES + PAGES;
	unsigned int one = random >> 20 & 1 ? nr : nr2;
	struct page page = view_page(&view, one);
	u64 index = index_of_page(&page, VIEW_SLOT);

	switch (random >> 24 & 7) {
	case 0:
		guest_remove(&page, VIEW_SLOT);
		guest_enter_again(one);
		break;
	case 1:
		guest_remove_bulk(nr, nr2);
		guest_enter_again(nr2);
		guest_enter_again(nr);
		break;
	case 2:
		guest_protect(one, index);
		break;
	case 3:
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_CLEAR_REF, 0, index, 0, 0));
		break;
	case 4:
		GUEST_ASSERT_EQ(H_SUCCESS,
				guest_hcall4(H_CLEAR_MOD, 0, index, 0, 0));
		break;
	case 5:
		guest_read(one, index);
		break;
	default:
		guest_third(nr, random >> 32);
	}
}

static void guest_work(u64 seed, u64 me)
{
	while (!over) {
		u64 now = __atomic_load_n(&mode, __ATOMIC_ACQUIRE);
		u64 random;

		__atomic_store_n(&at[me], now, __ATOMIC_RELEASE);
		if (now == REST) {
			guest_hcall4(GUEST_YIELD, 0, 0, 0, 0);
			continue;
		}
		random = guest_random(&seed);
		guest_use(random % (PAGES / WORKERS) * WORKERS + me, random >> 8);
		if (now == WORK && random >> 62)
			guest_change(guest_random(&seed), me);
		if (!(random >> 40 & 15))
			guest_hcall4(GUEST_YIELD, 0, 0, 0, 0);
		done[me]++;
	}
}

static void guest_look(void)
{
	unsigned int i;

	for (i = 0; i < 2 * PAGES; i++) {
		u64 val;

		if (!guest_load(view_ea(&view, i) + HOST_WORD, &val))
			guest_fail(__LINE__, i, 0);
		seen[i / PAGES][i % PAGES] = val;
	}
}

/* By the first entry or the second, that it goes through both in turn. */
static void guest_write(u64 value)
{
	unsigned int nr;

	for (nr = 0; nr < PAGES; nr++) {
		unsigned int times = (nr + value) & 1;

		if (IS_UNTOUCHED(nr))
			continue;
		if (!guest_store(view_ea(&view, nr + times * PAGES) + HOST_WORD,
				 value + nr))
			guest_fail(__LINE__, nr, 0);
	}
}

FIXTURE(warm)
{
	struct table *table;
	struct vm *vm;
	struct vcpu *asks;
	void *mem;
	unsigned long page, size;
	unsigned long bitmap[PAGES / 64];
	bool log;
	int kmsg;
	struct attacker attacker;
};

FIXTURE_VARIANT(warm)
{
	enum memory_kind kind;
	unsigned int attacks;
	bool log;
	bool slots;	/* memslots change, too */
};

/* Whatever the guest does stays until COMMIT, as no page is taken away. */
FIXTURE_VARIANT_ADD(warm, undisturbed)
{
	.kind = MEM_ANON,
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, discarded)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(DISCARD) | BIT(REMAP),
};

FIXTURE_VARIANT_ADD(warm, copied_on_write)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(FORK),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, compacted)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(DISCARD) | BIT(COMPACT),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, migrated)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(MIGRATE),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, merged)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(MERGE),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, swapped)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(SWAP),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, shared_swapped)
{
	.kind = MEM_MEMFD,
	.attacks = BIT(PROTECT) | BIT(DISCARD) | BIT(SWAP),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, postcopied)
{
	.kind = MEM_ANON,
	.attacks = BIT(PROTECT) | BIT(POSTCOPY),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, huge)
{
	.kind = MEM_THP,
	.attacks = BIT(PROTECT) | BIT(COLLAPSE) | BIT(DISCARD),
	.log = true,
};

FIXTURE_VARIANT_ADD(warm, memslots)
{
	.kind = MEM_MEMFD,
	.attacks = BIT(PROTECT) | BIT(DISCARD),
	.log = true,
	.slots = true,
};

/* vCPUs that rest leave the CPU to others. */
static void yielded(struct vcpu *vcpu, struct kvm_run *run)
{
	if (*vm_guest(vcpu->vm, mode) == REST)
		pause_us(POLL_US);
	run->papr_hcall.ret = H_SUCCESS;
}

FIXTURE_SETUP(warm)
{
	/* Stock KVM goes on with a resize when memslots change. */
	const char *why = variant->slots ? vmm_lacks_ext(ROAD_IOCTL) :
					   vmm_lacks(ROAD_IOCTL);
	struct vm *vm;

	self->page = sysconf(_SC_PAGESIZE);
	self->size = PAGES * self->page;
	if (!why && vm_strategy() == KVM_PPC_HPT_RESIZE_COPY)
		why = "copy-at-commit has no warm tables";
	why = why ?: attack_lacks(variant->attacks, self->size);
	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = WORKERS + 1,
				   .strategy = KVM_PPC_HPT_RESIZE_MIRROR);
	vm = self->table->vm;
	self->vm = vm;
	self->asks = &vm->vcpu[WORKERS];
	/* So much that a huge page has room. */
	self->mem = memory_map(variant->kind, self->size > 1ul << thp_shift() ?
			       self->size : 1ul << thp_shift(), 0);
	memset(self->mem, 0, self->size);
	vm_slot_use(vm, SLOT, GPA, self->size, self->mem);
	/* On POWER8 stock KVM logs in real mode, in vmalloc memory: dirty_hcalls. */
	self->log = variant->log && vm_has_ext(vm, KVM_CAP_PPC_MMU_HASH_V3);
	if (self->log)
		ASSERT_EQ(0, vm_slot_set(vm, SLOT, GPA, KVM_MEM_LOG_DIRTY_PAGES));
	*vm_guest(vm, view) = view_open_times(self->table, GPA, PAGES, 2);
	*vm_guest(vm, order) = ORDER;
	*vm_guest(vm, lossy) = variant->attacks & ATTACKS_LOSE;
	vm->faults = true;
	vm->hcall = yielded;
	self->attacker = (struct attacker) {
		.mem = self->mem,
		.pages = PAGES,
		.kind = variant->kind,
		.attacks = variant->attacks,
		.word = HOST_WORD,
		.random = guest_random(&self->table->random),
	};
}

FIXTURE_TEARDOWN(warm)
{
	close(self->kmsg);
	table_destroy(self->table);
}

static void set_mode(struct vm *vm, enum mode now)
{
	volatile u64 *there = *vm_guest(vm, at);
	unsigned int v;

	__atomic_store_n(vm_guest(vm, mode), now, __ATOMIC_RELEASE);
	for (v = 0; v < WORKERS; v++)
		while (__atomic_load_n(&there[v], __ATOMIC_ACQUIRE) != now)
			pause_us(POLL_US);
}

static u64 *word(void *mem, unsigned long page, unsigned int nr)
{
	return mem + nr * page + HOST_WORD;
}

static unsigned int not_seen(struct vm *vm, unsigned int nr, u64 value)
{
	typeof(seen) *saw = vm_guest(vm, seen);

	return ((*saw)[0][nr] != value) + ((*saw)[1][nr] != value);
}

/* How many entries have another page to the guest than to the host. */
static unsigned int foreign(struct vm *vm, struct vcpu *vcpu, void *mem,
			    unsigned long page, u64 value)
{
	unsigned int nr, wrong = 0;

	/* As they are; then with something new by the one, and by the other. */
	vcpu_call(vcpu, guest_look, 0, 0);
	for (nr = 0; nr < PAGES; nr++)
		wrong += not_seen(vm, nr, *word(mem, page, nr));
	for (nr = 0; nr < PAGES; nr++)
		*word(mem, page, nr) = value - nr;
	vcpu_call(vcpu, guest_look, 0, 0);
	for (nr = 0; nr < PAGES; nr++)
		wrong += not_seen(vm, nr, value - nr);
	vcpu_call(vcpu, guest_write, value, 0);
	for (nr = 0; nr < PAGES; nr++)
		wrong += *word(mem, page, nr) !=
			 (IS_UNTOUCHED(nr) ? value - nr : value + nr);
	return wrong;
}

/* How many words of a page are not what they should be; the host's is 0. */
static unsigned int page_wrong(struct vm *vm, unsigned long page, unsigned int nr,
			       const u64 *mem)
{
	typeof(last) *to_be = vm_guest(vm, last);
	bool may_be_0 = *vm_guest(vm, lossy);
	static u64 should[65536 / sizeof(u64)];
	unsigned int shift = __builtin_ctzl(page), w, wrong = 0;

	for (w = 0; w < WORDS; w++) {
		unsigned long i = word_at(w, shift) / sizeof(u64);

		should[i] = may_be_0 && !mem[i] ? 0 : (*to_be)[nr][w];
	}
	if (memcmp(should, mem, page))
		for (w = 0; w < page / sizeof(u64); w++)
			wrong += should[w] != mem[w];
	return wrong;
}

/* Some of the pages, others each time, or all. */
static unsigned int contents_wrong(struct vm *vm, void *mem, unsigned long page,
				   unsigned int round, bool all)
{
	unsigned int nr, wrong = 0;

	for (nr = 0; nr < PAGES; nr++) {
		/* So that it is the same everywhere again, for KSM. */
		*word(mem, page, nr) = 0;
		if (all || nr % 8 == round % 8)
			wrong += page_wrong(vm, page, nr, mem + nr * page);
	}
	return wrong;
}

/* Of the pages that vCPUs have stored to, and of others: of how many is the log wrong? */
static unsigned int log_wrong(struct vm *vm, unsigned long *bitmap)
{
	volatile bool *written = *vm_guest(vm, stored);
	unsigned int nr, lost = 0, more = 0;

	vm_dirty_log(vm, SLOT, bitmap);
	for (nr = 0; nr < PAGES; nr++) {
		bool is = bitmap[nr / 64] & 1ul << nr % 64;

		lost += written[nr] && !is;
		more += is && IS_UNTOUCHED(nr);
		written[nr] = false;
	}
	if (lost || more)
		fprintf(stderr, "# dirty log: %u pages lost, %u too many\n", lost, more);
	return lost + more;
}

static void log_anew(struct vm *vm, unsigned long *bitmap)
{
	volatile bool *written = *vm_guest(vm, stored);
	unsigned int nr;

	vm_dirty_log(vm, SLOT, bitmap);
	for (nr = 0; nr < PAGES; nr++)
		written[nr] = false;
}

/* All pages have been stored to, but for those that never are. */
static unsigned int log_lacks(struct vm *vm, unsigned long *bitmap)
{
	unsigned int nr, lacks = 0;

	vm_dirty_log(vm, SLOT, bitmap);
	for (nr = 0; nr < PAGES; nr++)
		lacks += !(bitmap[nr / 64] & 1ul << nr % 64) == !IS_UNTOUCHED(nr);
	return lacks;
}

static void await_work(struct vm *vm, u64 more)
{
	volatile u64 *count = *vm_guest(vm, done);
	u64 until = count[0] + more;

	while (count[0] < until)
		pause_us(POLL_US);
}

/*
 * Memslots change while a resize is prepared, which ends it. Until they are back the vCPUs
 * rest: they would find no memory. So does the attacker: when a memslot goes, stock KVM
 * locks reverse maps with preemption on, and an MMU notifier spins for them with it off. On
 * a preemptible kernel with one CPU, 7.3.4 for one, that is for ever.
 *
 * Return: what COMMIT says then.
 */
static int change_slots(struct vm *vm, struct vcpu *asks, unsigned int to,
			struct attacker *attacker, bool log, unsigned int how,
			unsigned long *bitmap)
{
	struct slot *slot = &vm->slot[SLOT];
	unsigned long size = slot->size;
	u32 flags = slot->flags;
	int ret = resize_prepare_once(asks, 0, to);

	if (ret < 0)
		die("PREPARE: %s", strerror(-ret));
	set_mode(vm, REST);
	attack_hold(attacker);
	/* That of a log that there cannot be would change nothing, and end nothing. */
	switch (how % (log ? 3 : 2)) {
	case 0:
		slot->size = 0;
		ret = vm_slot_set(vm, SLOT, GPA, 0);
		slot->size = size;
		ret = ret ?: vm_slot_set(vm, SLOT, GPA, flags);
		break;
	case 1:
		ret = vm_slot_set(vm, SLOT, ELSEWHERE, flags) ?:
		      vm_slot_set(vm, SLOT, GPA, flags);
		break;
	default:
		flags ^= KVM_MEM_LOG_DIRTY_PAGES;
		ret = vm_slot_set(vm, SLOT, GPA, flags);
	}
	attack_go_on(attacker);
	if (ret)
		die("memslot: %s", strerror(-ret));
	/* A log begins anew, with pages in it that were stored to before. */
	if (flags & KVM_MEM_LOG_DIRTY_PAGES)
		log_anew(vm, bitmap);
	ret = resize_commit_running(asks, to);
	set_mode(vm, WORK);
	return ret;
}

/* Another one, larger than the last or smaller. */
static unsigned int next_order(struct vm *vm, u64 random)
{
	unsigned int least = vm_least_order();

	return least + (vm->order - least + 1 + random % (ORDERS - 1)) % ORDERS;
}

/* The factor KVM_HV_EXT_LONG may make it last for hours: who runs it has a limit. */
TEST_F_TIMEOUT(warm, attacked, 36000)
{
	struct attacker *attacker = &self->attacker;
	u64 *random = &self->table->random;
	unsigned int i, v, grown = 0, ended = 0, wrong = 0;
	/* In fewer some attack might not get its turn. */
	unsigned int n = scaled(5) < 3 ? 3 : scaled(5);
	struct vm *vm = self->vm;
	char text[512];
	int ret;

	for (v = 0; v < WORKERS; v++)
		vcpu_start(&vm->vcpu[v], guest_work, guest_random(random), v);
	attack_start(attacker);

	for (i = 0; i < n && !wrong; i++) {
		u64 r = guest_random(random);
		unsigned int from = vm->order, to = next_order(vm, r);
		bool logs;

		if (variant->slots && r >> 20 & 1) {
			ret = change_slots(vm, self->asks, to, attacker, self->log,
					   r >> 24 & 0xff, self->bitmap);
			ASSERT_EQ(-ENXIO, ret);
			ended++;
		}
		logs = self->log && vm->slot[SLOT].flags & KVM_MEM_LOG_DIRTY_PAGES;
		ASSERT_EQ(0, resize_prepare(self->asks, to));
		/* A while in which both tables are kept in step, or none. */
		if (r >> 50 & 3)
			await_work(vm, (r >> 32) % 128);
		set_mode(vm, USE);
		ASSERT_EQ(0, resize_commit_running(self->asks, to));
		grown += to > from;
		/* Every other time the vCPUs go on a while as they were. */
		if (r >> 40 & 1)
			await_work(vm, 16);
		set_mode(vm, REST);
		*vm_guest(vm, order) = to;

		attack_hold(attacker);
		wrong = logs ? log_wrong(vm, self->bitmap) : 0;
		EXPECT_EQ(0, wrong)
			TH_LOG("the dirty log");
		v = foreign(vm, self->asks, self->mem, self->page,
			    guest_random(random) | 1ull << 63);
		EXPECT_EQ(0, v)
			TH_LOG("entries with other pages");
		wrong += v;
		v = logs ? log_lacks(vm, self->bitmap) : 0;
		EXPECT_EQ(0, v)
			TH_LOG("the dirty log after stores to all pages");
		wrong += v;
		v = contents_wrong(vm, self->mem, self->page, i, i + 1 == n);
		EXPECT_EQ(0, v)
			TH_LOG("words of the memory");
		wrong += v;
		attack_go_on(attacker);
		set_mode(vm, WORK);
	}
	*vm_guest(vm, over) = true;
	for (v = 0; v < WORKERS; v++)
		vcpu_join(&vm->vcpu[v]);
	attack_stop(attacker);
	/* An attack that never does anything tests nothing. */
	EXPECT_EQ(0, attack_report(attacker, text, sizeof(text)));
	TH_LOG("%u resizes, %u of them growing, %u ended by memslots; order %u", i,
	       grown, ended, vm->order);
	TH_LOG("%s", text);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
