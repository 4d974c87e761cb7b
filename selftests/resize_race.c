// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs enter, remove, protect, read and use their entries without rest while
 * another resizes the HPT, and the host changes what is behind them. Each vCPU
 * knows what it has, and in the end so does the oracle.
 *
 * As in a real guest only COMMIT is made with the other vCPUs held: a vCPU has
 * to know the order of the HPT to find its entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hotplug.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER		20
#define PAGES		256	/* of each vCPU: no two ever collide */
#define GPA		(256 * MIB)
#define SLOT		1
#define SIZE		(4 * MIB)
#define FRAME		4096ul
#define EA		0x30000000ul
#define GUEST_YIELD	0xf0e0	/* an hcall that only leaves the guest */

enum state {
	ABSENT,
	PRESENT,
	UNCERTAIN,	/* was there before a resize that may lose it */
};

struct entry {
	struct page page;
	u64 r;
	enum state state;
};

/* Of the guest; each vCPU has a row, and the slot of that number. */
static struct entry entries[VM_MAX_VCPUS][PAGES];
static volatile bool parked[VM_MAX_VCPUS];
static volatile u64 done[VM_MAX_VCPUS];
static volatile bool hold, over;
static volatile u64 order;
static bool lossy;

static u64 index_of(const struct page *page, unsigned int slot)
{
	return hash_group(page_hash(page), page->secondary, order) *
	       HPTES_PER_GROUP + slot;
}

/* Whether the status is right for an entry believed to be there. */
static bool was_there(struct entry *entry, long status, unsigned int line)
{
	if (status == H_NOT_FOUND && entry->state == UNCERTAIN) {
		entry->state = ABSENT;
		return false;
	}
	if (status)
		guest_fail(line, status, page_v(&entry->page));
	entry->state = PRESENT;
	return true;
}

static void check_words(const struct entry *entry, u64 v, u64 r,
			unsigned int line)
{
	if (v != page_v(&entry->page))
		guest_fail(line, v, page_v(&entry->page));
	if ((r ^ entry->r) & ~(HPTE_R_R | HPTE_R_C))
		guest_fail(line, r, entry->r);
}

static void do_enter(struct entry *entry, unsigned int slot, u64 random)
{
	u64 regs[9] = { H_EXACT, index_of(&entry->page, slot) };

	entry->page.bolted = random & 1;
	entry->page.prot = random & 2 ? HPTE_R_RW : HPTE_R_RO;
	entry->r = page_r(&entry->page);
	regs[2] = page_v(&entry->page);
	regs[3] = entry->r;
	if (guest_hcall(H_ENTER, regs))
		guest_fail(__LINE__, regs[0], index_of(&entry->page, slot));
	entry->state = PRESENT;
}

static void do_remove(struct entry *entry, unsigned int slot)
{
	u64 regs[9] = { H_AVPN, index_of(&entry->page, slot),
			page_avpn(&entry->page) };
	long status = guest_hcall(H_REMOVE, regs);

	if (was_there(entry, status, __LINE__))
		check_words(entry, regs[0], regs[1], __LINE__);
	entry->state = ABSENT;
}

static void do_bulk_remove(struct entry *row, unsigned int first,
			   unsigned int slot)
{
	u64 regs[9] = { HBR_END, 0, HBR_END, 0, HBR_END, 0, HBR_END };
	struct entry *entry[4];
	unsigned int i, n = 0;

	for (i = first; i < PAGES && n < 4; i++) {
		if (row[i].state == ABSENT)
			continue;
		regs[2 * n] = HBR_REQUEST | HBR_AVPN |
			      index_of(&row[i].page, slot);
		regs[2 * n + 1] = page_avpn(&row[i].page);
		entry[n++] = &row[i];
	}
	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_BULK_REMOVE, regs));
	for (i = 0; i < n; i++) {
		u64 code = regs[2 * i] & HBR_CODE;
		long status = code ? H_NOT_FOUND : H_SUCCESS;

		if (!(regs[2 * i] & HBR_RESPONSE) || code >> 61)
			guest_fail(__LINE__, regs[2 * i], i);
		was_there(entry[i], status, __LINE__);
		entry[i]->state = ABSENT;
	}
}

static void do_protect(struct entry *entry, unsigned int slot, u64 random)
{
	const u64 mask = HPTE_R_PP0 | HPTE_R_PP | HPTE_R_N | HPTE_R_KEY_HI |
			 HPTE_R_KEY_LO;
	u64 prot = random & 1 ? HPTE_R_RW : HPTE_R_RO;
	long status = guest_hcall4(H_PROTECT, H_AVPN | prot,
				   index_of(&entry->page, slot),
				   page_avpn(&entry->page), 0);

	if (was_there(entry, status, __LINE__))
		entry->r = (entry->r & ~mask) | prot;
}

static void do_read(struct entry *entry, unsigned int slot)
{
	u64 regs[9] = { 0, index_of(&entry->page, slot) };

	GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall(H_READ, regs));
	if (was_there(entry, regs[0] ? H_SUCCESS : H_NOT_FOUND, __LINE__))
		check_words(entry, regs[0], regs[1], __LINE__);
}

static void do_clear(struct entry *entry, unsigned int slot, bool mod)
{
	long status = guest_hcall4(mod ? H_CLEAR_MOD : H_CLEAR_REF, 0,
				   index_of(&entry->page, slot), 0, 0);

	was_there(entry, status, __LINE__);
}

/* The host may have discarded the page; then it is empty, not another's. */
static void do_touch(struct entry *entry, unsigned int row)
{
	u64 ea = EA + ((u64)row << 28) + entry->page.offset, val = 0;

	if (!guest_load(ea, &val)) {
		if (entry->state != ABSENT)
			was_there(entry, H_NOT_FOUND, __LINE__);
		return;
	}
	if (entry->state == ABSENT)
		guest_fail(__LINE__, ea, ABSENT);
	entry->state = PRESENT;
	if (val && val != entry->page.gpa)
		guest_fail(__LINE__, val, entry->page.gpa);
	if ((entry->r & HPTE_R_PP) == HPTE_R_RW)
		if (!guest_store(ea + 8, val))
			guest_fail(__LINE__, ea, entry->r);
}

static void guest_wait_for_commit(unsigned int me)
{
	unsigned int i;

	parked[me] = true;
	__sync_synchronize();
	while (hold)
		guest_hcall4(GUEST_YIELD, 0, 0, 0, 0);
	parked[me] = false;
	for (i = 0; i < PAGES; i++)
		if (lossy && entries[me][i].state == PRESENT &&
		    !entries[me][i].page.bolted)
			entries[me][i].state = UNCERTAIN;
}

static void guest_work(u64 seed, u64 me)
{
	struct entry *row = entries[me];
	unsigned int i;

	while (!over) {
		u64 random = guest_random(&seed);
		struct entry *entry = &row[random % PAGES];

		if (hold)
			guest_wait_for_commit(me);
		done[me]++;
		random >>= 32;
		if (entry->state == ABSENT) {
			if (random & 1)
				do_enter(entry, me, random >> 8);
			else
				do_touch(entry, me);
			continue;
		}
		switch (random % 8) {
		case 0:
			do_remove(entry, me);
			break;
		case 1:
			if (random & 8)
				do_bulk_remove(row, entry - row, me);
			break;
		case 2:
			do_protect(entry, me, random >> 8);
			break;
		case 3:
			do_clear(entry, me, random & 8);
			break;
		case 4:
			do_read(entry, me);
			break;
		default:
			do_touch(entry, me);
			break;
		}
	}
	for (i = 0; i < PAGES; i++)
		if (row[i].state == UNCERTAIN)
			do_read(&row[i], me);
}

FIXTURE(race)
{
	struct table *table;
	struct vm *vm;
	struct vcpu *asks;
	unsigned int workers;
	int kmsg;
};

FIXTURE_VARIANT(race)
{
	unsigned int vcpus;
	enum vm_road road;
	bool disturb;
	bool hotplug;
};

FIXTURE_VARIANT_ADD(race, vcpus_2)
{
	.vcpus = 2,
};

FIXTURE_VARIANT_ADD(race, vcpus_4_host_disturbs)
{
	.vcpus = 4,
	.disturb = true,
};

FIXTURE_VARIANT_ADD(race, vcpus_8_by_hcall)
{
	.vcpus = 8,
	.road = ROAD_HCALL,
	.disturb = true,
};

FIXTURE_VARIANT_ADD(race, vcpus_4_cpu_hotplug)
{
	.vcpus = 4,
	.hotplug = true,
};

FIXTURE_SETUP(race)
{
	const char *why = vmm_lacks(variant->road) ?:
			  (variant->hotplug ? hotplug_lacks() : NULL);
	u64 slbe[VM_MAX_VCPUS], slbv[VM_MAX_VCPUS];
	unsigned int v, i;
	u64 gpa;

	if (why)
		SKIP(return, "%s", why);
	self->kmsg = kmsg_open();
	self->table = table_create(.order = ORDER, .vcpus = variant->vcpus,
				   .road = variant->road);
	self->vm = self->table->vm;
	self->workers = variant->vcpus - 1;
	self->asks = &self->vm->vcpu[self->workers];
	vm_slot_add(self->vm, SLOT, GPA, SIZE, 0, 0);
	for (gpa = GPA; gpa < GPA + SIZE; gpa += FRAME)
		*(u64 *)vm_host(self->vm, gpa) = gpa;

	for (v = 0; v < self->workers; v++) {
		slbe[v] = (EA + ((u64)v << 28)) | SLBE_V;
		slbv[v] = slb_vsid(0x2000 + v, 12, false);
		for (i = 0; i < PAGES; i++)
			(*vm_guest(self->vm, entries))[v][i].page = (struct page){
				.vsid = 0x2000 + v,
				.offset = i * FRAME,
				.gpa = GPA + (i * 7 + v * 31) * FRAME % SIZE,
				.base_shift = 12,
				.shift = 12,
				.secondary = v & 1,
			};
	}
	for (v = 0; v < self->workers; v++)
		vcpu_set_slb(&self->vm->vcpu[v], self->workers, slbe, slbv);
	*vm_guest(self->vm, order) = ORDER;
	*vm_guest(self->vm, lossy) =
		self->vm->strategy != KVM_PPC_HPT_RESIZE_MIRROR;
}

FIXTURE_TEARDOWN(race)
{
	close(self->kmsg);
	table_destroy(self->table);
}

struct disturber {
	struct vm *vm;
	bool may_log;
	u64 random;
	volatile bool stop;
};

/* The host's side: pages are taken, write-protected, logged and migrated. */
static void *disturb(void *arg)
{
	struct disturber *me = arg;
	int compact = open("/proc/sys/vm/compact_memory", O_WRONLY);
	unsigned long page = sysconf(_SC_PAGESIZE);
	void *mem = me->vm->slot[SLOT].host;

	while (!me->stop) {
		u64 r = guest_random(&me->random);
		void *part = mem + (r >> 8) % (SIZE / page) * page;
		int ret = 0;

		switch (r % 16) {
		case 0 ... 5:
			ret = madvise(part, page, MADV_DONTNEED);
			break;
		case 6 ... 13:
			ret = mprotect(part, page, PROT_READ) ?:
			      mprotect(mem, SIZE, PROT_READ | PROT_WRITE);
			break;
		case 14:
			if (!me->may_log || (r >> 32 & 7))
				break;
			ret = vm_slot_set(me->vm, SLOT, GPA,
					  KVM_MEM_LOG_DIRTY_PAGES) ?:
			      vm_slot_set(me->vm, SLOT, GPA, 0);
			break;
		case 15:
			if (!(r >> 32 & 7) && write(compact, "1", 1) < 0)
				break;
			break;
		}
		if (ret)
			die("disturbing by %lu: %s", (long)(r % 16),
			    strerror(errno));
		pause_us(r >> 40 & 0x3ff);
	}
	close(compact);
	return NULL;
}

/* Wait until the guest has parked its vCPUs. */
static void park(struct vm *vm, unsigned int workers)
{
	volatile bool *there = *vm_guest(vm, parked);
	unsigned int v;

	*vm_guest(vm, hold) = true;
	for (v = 0; v < workers; v++)
		while (!there[v])
			sched_yield();
}

static void unpark(struct vm *vm, unsigned int workers)
{
	volatile bool *there = *vm_guest(vm, parked);
	unsigned int v;

	*vm_guest(vm, hold) = false;
	for (v = 0; v < workers; v++)
		while (there[v])
			sched_yield();
}

/* All that the vCPUs say they have, told to the oracle, and compared. */
static unsigned int compare(struct table *table, unsigned int workers)
{
	struct entry (*rows)[PAGES] = *vm_guest(table->vm, entries);
	unsigned int v, i;

	oracle_resize(table->oracle, table->vm->order);
	for (v = 0; v < workers; v++) {
		for (i = 0; i < PAGES; i++) {
			const struct page *page = &rows[v][i].page;
			u64 hash = page_hash(page);

			if (rows[v][i].state != PRESENT)
				continue;
			oracle_add(table->oracle,
				   hash_group(hash, page->secondary,
					      table->vm->order) *
				   HPTES_PER_GROUP + v,
				   hash, page_v(page), rows[v][i].r);
		}
	}
	return table_check(table);
}

TEST_F_TIMEOUT(race, work, 300)
{
	unsigned int i, v, committed = 0, n = scaled(24);
	u64 *random = &self->table->random, worked = 0;
	struct disturber disturber = {
		.vm = self->vm,
		.random = guest_random(random),
		/* With stock KVM alone a POWER8 host stops: dirty_hcalls. */
		.may_log = vm_has_ext(self->vm, KVM_CAP_PPC_MMU_HASH_V3) ||
			   vm_has_ext(self->vm, KVM_CAP_PPC_HV_EXT),
	};
	struct hotplug hotplug;
	pthread_t thread;

	/* A store to a page that is read-only just then ends KVM_RUN. */
	self->vm->faults = variant->disturb;
	for (v = 0; v < self->workers; v++)
		vcpu_start(&self->vm->vcpu[v], guest_work, guest_random(random),
			   v);
	if (variant->disturb)
		ASSERT_EQ(0, pthread_create(&thread, NULL, disturb, &disturber));
	if (variant->hotplug)
		hotplug_start(&hotplug);

	for (i = 0; i < n; i++) {
		unsigned int to = vm_least_order() + guest_random(random) % 6;
		int ret;

		ASSERT_EQ(0, resize_prepare(self->asks, to));
		/* A while in which both tables are kept in step. */
		pause_us(guest_random(random) % 5000);
		park(self->vm, self->workers);
		ret = resize_commit_running(self->asks, to);
		*vm_guest(self->vm, order) = self->vm->order;
		unpark(self->vm, self->workers);
		/* A memslot change of the disturber's may have ended it. */
		if (ret)
			ASSERT_EQ(-ENXIO, ret);
		committed += !ret;
	}
	disturber.stop = true;
	if (variant->disturb)
		pthread_join(thread, NULL);
	if (variant->hotplug)
		EXPECT_LT(0, hotplug_stop(&hotplug));
	*vm_guest(self->vm, over) = true;
	for (v = 0; v < self->workers; v++) {
		vcpu_join(&self->vm->vcpu[v]);
		worked += (*vm_guest(self->vm, done))[v];
	}
	TH_LOG("%u resizes of %u, %lu operations on %u entries meanwhile",
	       committed, n, (long)worked, self->workers * PAGES);
	EXPECT_LT(0, committed);
	EXPECT_EQ(0, compare(self->table, self->workers));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

static u64 guest_ask(u64 index)
{
	u64 n;

	for (n = 0; !over; n++)
		GUEST_ASSERT_EQ(H_SUCCESS, guest_hcall4(H_CLEAR_REF, 0, index, 0, 0));
	return n;
}

FIXTURE(hcalls)
{
	struct table *table;
	u64 index;
};

FIXTURE_SETUP(hcalls)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);
	struct page page = {
		.vsid = 0x1234,
		.gpa = GUEST_DATA,
		.prot = HPTE_R_RW,
		.base_shift = 12,
		.shift = 12,
		.bolted = true,
	};

	if (why)
		SKIP(return, "%s", why);
	self->table = table_create(.order = HPT_MIN_ORDER, .vcpus = 2,
				   .strategy = KVM_PPC_HPT_RESIZE_MIRROR);
	ASSERT_EQ(0, table_enter(self->table, &page, 0, &self->index));
}

FIXTURE_TEARDOWN(hcalls)
{
	table_destroy(self->table);
}

/*
 * Resizes are given up while a vCPU makes one hcall after the other: one that was on its
 * way to the module just then is still served there, and not left to the VMM.
 */
TEST_F_TIMEOUT(hcalls, given_up, 300)
{
	struct vcpu *vcpu = self->table->vcpu, *asks = &self->table->vm->vcpu[1];
	unsigned int i, n = scaled(500);

	vcpu_start(asks, guest_ask, self->index, 0);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, resize_prepare(vcpu, HPT_MIN_ORDER));
		pause_us(guest_random(&self->table->random) % 500);
		ASSERT_EQ(0, resize_prepare_once(vcpu, 0, 0));
	}
	*vm_guest(self->table->vm, over) = true;
	TH_LOG("%lu hcalls meanwhile", (long)vcpu_join(asks));
}

TEST_HARNESS_MAIN
