// SPDX-License-Identifier: GPL-2.0
/*
 * kvm-hv-ext is inserted and removed while VMs come and go: a VM pins the module
 * that it was made with, and one made before lives on as if nothing happened.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "gap.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "table.h"
#include "vmm.h"

#define ORDER		18
#define PATIENCE_US	(5000000ull * host_slower())

FIXTURE(module)
{
	const char *path;
	struct module_away away;
	int kvm_hv_users;
	int kmsg;
};

/* How many hold a module, -1 if it is not there. */
static int users(const char *module)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	return file_number(path);
}

FIXTURE_SETUP(module)
{
	const char *why = vmm_lacks(ROAD_IOCTL) ?: module_lacks();

	if (why)
		SKIP(return, "%s", why);
	self->path = module_path();
	self->kmsg = kmsg_open();
	ASSERT_EQ(0, module_take_out(&self->away));
	self->kvm_hv_users = users("kvm_hv");
}

FIXTURE_TEARDOWN(module)
{
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
	close(self->kmsg);
	if (module_loaded())
		EXPECT_EQ(0, module_remove());
	EXPECT_EQ(self->kvm_hv_users, users("kvm_hv"));
	EXPECT_EQ(0, module_put_back(&self->away));
}

static bool served_by_us(struct vm *vm)
{
	return vm_has_ext(vm, KVM_CAP_PPC_HV_EXT) & KVM_PPC_HV_EXT_RESIZE;
}

TEST_F_TIMEOUT(module, again_and_again, 300)
{
	unsigned int i, n = scaled(10);
	struct mem_use before;

	for (i = 0; i < n; i++) {
		struct vm *vm;

		/* What the first time leaves behind is no leak. */
		if (i == 2)
			mem_use(&before);
		ASSERT_EQ(0, module_insert(self->path, ""));
		ASSERT_EQ(-EEXIST, module_insert(self->path, ""));
		vm = vm_create(.order = ORDER);
		EXPECT_TRUE(served_by_us(vm));
		EXPECT_EQ(-EWOULDBLOCK, module_remove());
		EXPECT_GUEST_RUNS(&vm->vcpu[0]);
		EXPECT_EQ(0, resize(&vm->vcpu[0], ORDER + 1));
		/* Prepared, and left so. */
		if (i & 1)
			EXPECT_EQ(0, resize_prepare(&vm->vcpu[0], ORDER));
		EXPECT_EQ(-EWOULDBLOCK, module_remove());
		vm_destroy(vm);
		ASSERT_EQ(0, module_remove());
		/* And stock KVM is what it was. */
		vm = vm_create(.order = ORDER);
		EXPECT_FALSE(served_by_us(vm));
		EXPECT_GUEST_RUNS(&vm->vcpu[0]);
		EXPECT_EQ(0, resize(&vm->vcpu[0], ORDER + 1));
		vm_destroy(vm);
	}
	counted(n, "removals");
	if (n > 2)
		EXPECT_TRUE(mem_returned(&before, 5000));
}

TEST_F_TIMEOUT(module, older_vm, 120)
{
	struct kvm_enable_cap stop = { .cap = KVM_CAP_PPC_GUEST_STOP };
	struct kvm_enable_cap strategy = {
		.cap = KVM_CAP_PPC_HPT_RESIZE,
		.args = { KVM_PPC_HPT_RESIZE_COPY },
	};
	struct table *old = table_create(.order = ORDER);
	struct vm *new;

	table_fill(old, 50);
	ASSERT_EQ(0, resize_prepare(old->vcpu, ORDER + 1));
	ASSERT_EQ(0, module_insert(self->path, ""));
	EXPECT_FALSE(served_by_us(old->vm));
	EXPECT_EQ(-EINVAL, vm_ioctl(old->vm, KVM_ENABLE_CAP, &stop));
	EXPECT_EQ(-EINVAL, vm_ioctl(old->vm, KVM_ENABLE_CAP, &strategy));
	EXPECT_GUEST_RUNS(old->vcpu);
	/* What it had prepared is still there, and stock KVM's to commit. */
	EXPECT_EQ(0, resize_commit(old->vcpu, ORDER + 1));
	EXPECT_EQ(0, table_committed(old, ORDER + 1));
	table_churn(old, 50);
	EXPECT_EQ(0, table_resize(old, ORDER + 2));

	/* It does not pin the module, a newer one does, whoever ends first. */
	new = vm_create(.order = ORDER);
	EXPECT_EQ(-EWOULDBLOCK, module_remove());
	vm_destroy(new);
	EXPECT_EQ(0, module_remove());
	EXPECT_EQ(0, table_check(old));
	EXPECT_EQ(0, table_resize(old, ORDER + 1));
	EXPECT_GUEST_RUNS(old->vcpu);

	ASSERT_EQ(0, module_insert(self->path, ""));
	EXPECT_FALSE(served_by_us(old->vm));
	new = vm_create(.order = ORDER);
	table_destroy(old);
	EXPECT_EQ(-EWOULDBLOCK, module_remove());
	EXPECT_TRUE(served_by_us(new));
	EXPECT_GUEST_RUNS(&new->vcpu[0]);
	vm_destroy(new);
}

static void *remove_module(void *removed)
{
	*(int *)removed = module_remove();
	return NULL;
}

/* Somebody is still in a call that has come through the module. */
TEST_F_TIMEOUT(module, call_of_older_vm, 60)
{
	struct gap_log slow = { .vm = vm_create(.order = ORDER) };
	const int not_yet = 1;
	volatile int removed = not_yet;
	pthread_t reads, removes;

	vm_slot_add(slow.vm, 1, GIB, 64 * MIB, 0, KVM_MEM_LOG_DIRTY_PAGES);
	if (!gap_open(&slow.gap, NULL))
		SKIP(return, "no userfaultfd here");
	ASSERT_EQ(0, module_insert(self->path, ""));
	ASSERT_EQ(0, pthread_create(&reads, NULL, gap_read_log, &slow));
	gap_await(&slow.gap);
	ASSERT_EQ(0, pthread_create(&removes, NULL, remove_module, (void *)&removed));
	/* So long as it takes otherwise, by far. */
	pause_us(2000000);
	EXPECT_EQ(not_yet, removed);
	gap_let_in(&slow.gap, "", 1);
	pthread_join(reads, NULL);
	pthread_join(removes, NULL);
	EXPECT_EQ(0, slow.ret);
	EXPECT_EQ(0, removed);
	EXPECT_GUEST_RUNS(&slow.vm->vcpu[0]);
	vm_destroy(slow.vm);
}

#define RAM		(32 * MIB)
#define RAM_ORDER	20	/* all of it in real mode, in pages of 4 KiB, too */
#define HOLE		(24 * MIB)

static u64 guest_touch(u64 gpa)
{
	return *(volatile u64 *)gpa;
}

/* A vCPU of such a VM came in by the module, and waits for a page. */
TEST_F_TIMEOUT(module, vcpu_of_older_vm, 60)
{
	void *mem = vmm_map_backing(RAM, sysconf(_SC_PAGESIZE));
	const u64 word = 0x1234;
	const int not_yet = 1;
	volatile int removed = not_yet;
	pthread_t removes;
	struct gap gap;
	struct vm *vm;

	if (!gap_open(&gap, mem + HOLE))
		SKIP(return, "no userfaultfd here");
	vm = vm_create(.order = RAM_ORDER, .ram = RAM, .memory = mem);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	ASSERT_EQ(0, module_insert(self->path, ""));
	vcpu_start(&vm->vcpu[0], guest_touch, HOLE, 0);
	gap_await(&gap);
	ASSERT_EQ(0, pthread_create(&removes, NULL, remove_module, (void *)&removed));
	/* So long as it takes otherwise, by far. */
	pause_us(2000000);
	EXPECT_EQ(not_yet, removed);
	gap_let_in(&gap, &word, sizeof(word));
	EXPECT_EQ(word, vcpu_join(&vm->vcpu[0]));
	pthread_join(removes, NULL);
	EXPECT_EQ(0, removed);
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vm_destroy(vm);
}

/* VMs of another process are made, run, resized and ended all the time. */
static void come_and_go(void)
{
	u64 random = now_us();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct vm *vm = vm_create(.order = ORDER);
		struct vcpu *vcpu = &vm->vcpu[0];
		int ret;

		if (vcpu_call(vcpu, guest_sum, 1, 2) != 3)
			die("the guest cannot add");
		ret = resize(vcpu, ORDER + guest_random(&random) % 3);
		if (ret)
			die("resize while the module comes and goes: %d", ret);
		if (vcpu_call(vcpu, guest_sum, 1, 2) != 3)
			die("the guest cannot add any more");
		vm_destroy(vm);
	}
}

TEST_F_TIMEOUT(module, in_the_midst, 300)
{
	unsigned int i, refused = 0, n = scaled(6);
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		come_and_go();
	for (i = 0; i < n; i++) {
		unsigned long long end = now_us() + PATIENCE_US;
		int ret;

		ASSERT_EQ(0, module_insert(self->path, ""));
		/* At once, or when it has come into use. */
		while ((i & 1) && users("kvm_hv_ext") < 1 && now_us() < end)
			pause_us(50);
		/* There are moments without a VM; the module goes in one. */
		while ((ret = module_remove()) == -EWOULDBLOCK) {
			refused++;
			if (now_us() > end)
				break;
			pause_us(50);
		}
		ASSERT_EQ(0, ret);
	}
	EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	counted(n, "removals-beside-VMs");
	TH_LOG("%u removals, refused %u times", n, refused);
}

TEST_HARNESS_MAIN
