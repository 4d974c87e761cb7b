// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes beside /dev/kvm: VMs get the profile of the node that they are made through,
 * also at the same time, or there is no VM; a node is there for as long as its profile
 * is, and may be opened by whom its permissions say.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "stop.h"

#define NOBODY		65534
#define EVERYBODY	0666

static int profile(const char *text)
{
	return file_write(PROFILES, text);
}

static void profiles(char *text, size_t size)
{
	int fd = open(PROFILES, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, text, size - 1);

	text[len < 0 ? 0 : len] = 0;
	close(fd);
}

static int open_kvm(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int create_vm(int kvm)
{
	int fd = ioctl(kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);

	return fd < 0 ? -errno : fd;
}

static void get_state(int vm, struct kvm_ppc_hv_ext_state *state)
{
	memset(state, 0, sizeof(*state));
	if (ioctl(vm, KVM_PPC_HV_EXT_STATE, state))
		die("KVM_PPC_HV_EXT_STATE: %s", strerror(errno));
}

/* Whether the kernel has logged a line with all of these since the file was opened. */
static bool logged(int kmsg, const char *a, const char *b)
{
	char rec[2048];
	ssize_t len;

	while ((len = read(kmsg, rec, sizeof(rec) - 1)) > 0) {
		rec[len] = 0;
		if (strstr(rec, a) && strstr(rec, b))
			return true;
	}
	return false;
}

FIXTURE(nodes)
{
	int kmsg;
};

FIXTURE_SETUP(nodes)
{
	if (access(PROFILES, F_OK))
		SKIP(return, "no kvm-hv-ext with profiles");
	self->kmsg = kmsg_open();
}

/* What a test that has failed left behind would fail the next. */
FIXTURE_TEARDOWN(nodes)
{
	static const char * const names[] = { "-t-stop", "-t-off", "-t-odd" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		profile(names[i]);
	close(self->kmsg);
}

static struct interrupts ints;

TEST_F(nodes, two_at_a_time)
{
	const char *why = lacks_stop(STOP_EMULATED);
	struct kvm_ppc_hv_ext_state state;
	/* No larger pages than what any memory of this host is made of. */
	unsigned int shift = __builtin_ctzl(getpagesize());
	struct vm *stops, *off, *plain;
	u64 regs[9] = { 0 };
	char text[64];

	/* It says so even if stop works here but this emulator keeps it to itself. */
	plain = vm_create(.vcpus = 1);
	if (!vm_has_ext(plain, KVM_CAP_PPC_GUEST_STOP)) {
		vm_destroy(plain);
		SKIP(return, "%s", why);
	}
	ASSERT_EQ(0, profile("t-stop,guest_stop=emulate,resize_strategy=copy\n"));
	snprintf(text, sizeof(text), "t-off,guest_stop=off,hpt_max_page_shift=%u",
		 shift);
	ASSERT_EQ(0, profile(text));

	stops = vm_create(.device = "/dev/kvm-t-stop");
	off = vm_create(.device = "/dev/kvm-t-off");
	get_state(stops->fd, &state);
	EXPECT_EQ(STOP_EMULATED, state.guest_stop);
	EXPECT_EQ(KVM_PPC_HPT_RESIZE_COPY, state.resize_strategy);
	EXPECT_EQ(module_param("hpt_max_page_shift"), state.max_page_shift);
	get_state(off->fd, &state);
	EXPECT_EQ(0, state.guest_stop);
	EXPECT_EQ(shift, state.max_page_shift);

	/* What was not said is the VMM's to choose. */
	EXPECT_EQ(-EBUSY, vm_enable(stops, KVM_CAP_PPC_GUEST_STOP, 0, 0));
	EXPECT_EQ(0, vm_enable(stops, KVM_CAP_PPC_GUEST_STOP, STOP_EMULATED, 0));
	EXPECT_EQ(0, vm_enable(stops, KVM_CAP_PPC_HPT_RESIZE,
			       KVM_PPC_HPT_RESIZE_MIRROR, 0));
	EXPECT_EQ(-EBUSY, vm_enable(off, KVM_CAP_PPC_GUEST_STOP, STOP_EMULATED, 0));
	EXPECT_EQ(-EBUSY, vm_enable(off, KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT, 24, 0));
	EXPECT_EQ(0, vm_enable(off, KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT, shift, 0));
	EXPECT_EQ(0, vm_enable(plain, KVM_CAP_PPC_GUEST_STOP, 0, 0));

	EXPECT_EQ(H_SUCCESS, vcpu_hcall(&stops->vcpu[0], H_KVM_HV_EXT_FEATURES,
					regs));
	EXPECT_EQ(H_KVM_HV_EXT_FEATURE_STOP, regs[0]);
	EXPECT_EQ(H_FUNCTION, vcpu_hcall(&off->vcpu[0], H_KVM_HV_EXT_FEATURES,
					 regs));
	EXPECT_EQ(H_FUNCTION, vcpu_hcall(&plain->vcpu[0], H_KVM_HV_EXT_FEATURES,
					 regs));
	if (!why) {
		vm_take_interrupts(stops);
		vm_take_interrupts(off);
		vcpu_call(&stops->vcpu[0], guest_try_stop,
			  (unsigned long)&ints, 0);
		vcpu_call(&off->vcpu[0], guest_try_stop,
			  (unsigned long)&ints, 0);
		EXPECT_EQ(0, vm_guest(stops, ints)->taken[VEC_PROGRAM >> 8]);
		EXPECT_LT(0, vm_stops_emulated(stops));
		/* As by stock KVM, that is mostly; see guest_stop.rst. */
		EXPECT_LE(vm_stops_emulated(off), 0);
	}
	vm_destroy(stops);
	vm_destroy(off);
	vm_destroy(plain);
}

TEST_F(nodes, refused)
{
	struct vm *plain = vm_create(.vcpus = 1);
	int kvm;

	/* KVM HV has no pages above 16 MiB for guests, whatever the host. */
	ASSERT_EQ(0, profile("t-odd,hpt_max_page_shift=34"));
	kvm = open_kvm("/dev/kvm-t-odd");
	ASSERT_LE(0, kvm);
	EXPECT_EQ(-EOPNOTSUPP, create_vm(kvm));
	EXPECT_TRUE(logged(self->kmsg, "/dev/kvm-t-odd: no VM",
			   "hpt_max_page_shift=34"));
	close(kvm);

	ASSERT_EQ(0, profile("t-stop,guest_stop=native"));
	kvm = open_kvm("/dev/kvm-t-stop");
	ASSERT_LE(0, kvm);
	EXPECT_EQ(-1, ioctl(kvm, KVM_CREATE_VM, KVM_VM_PPC_PR));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, ioctl(kvm, KVM_CREATE_VM, 7));
	EXPECT_EQ(EINVAL, errno);
	if (!vm_has_ext(plain, KVM_CAP_PPC_GUEST_STOP)) {
		EXPECT_EQ(-EOPNOTSUPP, create_vm(kvm));
		EXPECT_TRUE(logged(self->kmsg, "/dev/kvm-t-stop: no VM",
				   "no stop for guests"));
	}
	close(kvm);

	/* Nothing of that stays with the thread. */
	vm_destroy(plain);
	plain = vm_create(.vcpus = 1);
	EXPECT_EQ(0, vm_enable(plain, KVM_CAP_PPC_GUEST_STOP, 0, 0));
	vm_destroy(plain);
}

TEST_F(nodes, passes_on)
{
	int node, kvm = open_kvm("/dev/kvm");
	unsigned long cap;
	char byte;

	ASSERT_LE(0, kvm);
	ASSERT_EQ(0, profile("t-odd"));
	node = open_kvm("/dev/kvm-t-odd");
	ASSERT_LE(0, node);
	EXPECT_EQ(KVM_API_VERSION, ioctl(node, KVM_GET_API_VERSION, 0));
	EXPECT_EQ(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		  ioctl(node, KVM_GET_VCPU_MMAP_SIZE, 0));
	for (cap = 0; cap < 256; cap++)
		EXPECT_EQ(ioctl(kvm, KVM_CHECK_EXTENSION, cap),
			  ioctl(node, KVM_CHECK_EXTENSION, cap));
	EXPECT_EQ(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_PPC_HV_EXT),
		  ioctl(node, KVM_CHECK_EXTENSION, KVM_CAP_PPC_HV_EXT));
	EXPECT_EQ(-1, ioctl(node, KVM_RUN, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(node, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	close(node);
	close(kvm);
}

/* The status of a user who has no right but that to the node: 0 is a VM. */
static int as_nobody(const char *path)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int kvm, vm;

		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(100);
		kvm = open_kvm(path);
		if (kvm < 0)
			_exit(-kvm);
		vm = create_vm(kvm);
		_exit(vm < 0 ? 101 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("no child");
	return WEXITSTATUS(status);
}

TEST_F(nodes, permissions)
{
	struct stat kvm, node;

	ASSERT_EQ(0, profile("t-odd"));
	ASSERT_EQ(0, stat("/dev/kvm-t-odd", &node));
	/* For root alone, until somebody says otherwise. */
	EXPECT_EQ(0600, node.st_mode & 07777);
	EXPECT_EQ(0, node.st_uid);
	EXPECT_EQ(EACCES, as_nobody("/dev/kvm-t-odd"));

	ASSERT_EQ(0, stat("/dev/kvm", &kvm));
	ASSERT_EQ(0, chmod("/dev/kvm-t-odd", EVERYBODY));
	ASSERT_EQ(0, chmod("/dev/kvm", 0600));
	EXPECT_EQ(EACCES, as_nobody("/dev/kvm"));
	EXPECT_EQ(0, as_nobody("/dev/kvm-t-odd"));
	chmod("/dev/kvm", kvm.st_mode & 07777);
	EXPECT_EQ(EACCES, as_nobody(PROFILES));
}

TEST_F(nodes, removed_while_open)
{
	struct kvm_ppc_hv_ext_state state;
	int old, new, vm, i;

	ASSERT_EQ(0, profile("t-odd,hpt_max_page_shift=16"));
	old = open_kvm("/dev/kvm-t-odd");
	ASSERT_LE(0, old);
	vm = create_vm(old);
	ASSERT_LE(0, vm);
	EXPECT_EQ(-EWOULDBLOCK, module_remove());

	ASSERT_EQ(0, profile("-t-odd"));
	EXPECT_EQ(-ENOENT, open_kvm("/dev/kvm-t-odd"));
	EXPECT_EQ(-ENODEV, create_vm(old));
	EXPECT_EQ(KVM_API_VERSION, ioctl(old, KVM_GET_API_VERSION, 0));
	get_state(vm, &state);
	EXPECT_EQ(16, state.max_page_shift);

	/* Another of that name is another. */
	ASSERT_EQ(0, profile("t-odd,hpt_max_page_shift=12"));
	EXPECT_EQ(-ENODEV, create_vm(old));
	new = open_kvm("/dev/kvm-t-odd");
	ASSERT_LE(0, new);
	close(vm);
	vm = create_vm(new);
	ASSERT_LE(0, vm);
	get_state(vm, &state);
	EXPECT_EQ(12, state.max_page_shift);
	close(vm);
	close(new);
	/* Only the old file is left. */
	EXPECT_EQ(-EWOULDBLOCK, module_remove());
	close(old);
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(0, profile("-t-odd"));
		EXPECT_EQ(0, profile("t-odd"));
	}
}

TEST_F(nodes, nonsense)
{
	static const char * const bad[] = {
		",", "T", "-", "a/b", "../kvm", "a b", "a.b", "t-odd,",
		"t-odd,guest_stop", "t-odd,guest_stop=", "t-odd,guest_stop=on",
		"t-odd,hpt_max_page_shift=11", "t-odd,hpt_max_page_shift=64",
		"t-odd,hpt_max_page_shift=-1", "t-odd,resize_strategy=",
		"t-odd,verify=1", "t-odd,resize_strategy=copy,resize_strategy=copy",
		"t-odd,guest_stop=off,,", "a-name-that-is-25-letters",
	};
	char text[8192], before[8192], name[128];
	int i, ret, made;

	profiles(before, sizeof(before));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = profile(bad[i]);
		EXPECT_EQ(*bad[i] == '-' ? -ENOENT : -EINVAL, ret)
			TH_LOG("\"%s\"", bad[i]);
	}
	EXPECT_EQ(-ENOENT, profile("-t-none"));
	EXPECT_EQ(0, profile("\n"));
	profiles(text, sizeof(text));
	EXPECT_STREQ(before, text);
	EXPECT_NE(0, access("/dev/kvm-t-odd", F_OK));

	ASSERT_EQ(0, profile("t-odd,guest_stop=off,hpt_max_page_shift=0x18"));
	EXPECT_EQ(-EEXIST, profile("t-odd"));
	profiles(text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "t-odd,guest_stop=off,hpt_max_page_shift=0x18\n"));

	for (made = 0; made < 64; made++) {
		snprintf(name, sizeof(name), "t-%d-long-enough-to-fill%s", made,
			 ",guest_stop=emulate,hpt_max_page_shift=0x18,resize_strategy=mirror");
		ret = profile(name);
		if (ret)
			break;
	}
	EXPECT_EQ(-ENOSPC, ret);
	/* Those that were shown are as many as there are. */
	profiles(text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "\nt-0-"));
	snprintf(name, sizeof(name), "\nt-%d-", made - 1);
	EXPECT_NE(NULL, strstr(text, name));
	while (made--) {
		snprintf(name, sizeof(name), "-t-%d-long-enough-to-fill", made);
		EXPECT_EQ(0, profile(name));
	}
}

static struct maker {
	const char *path;
	u32 shift;
	unsigned int wrong;
} makers[] = {
	{ .path = "/dev/kvm" },
	{ .path = "/dev/kvm-t-stop", .shift = 12 },
	{ .path = "/dev/kvm-t-off", .shift = 16 },
	{ .path = "/dev/kvm-t-stop", .shift = 12 },
	{ .path = "/dev/kvm" },
	{ .path = "/dev/kvm-t-off", .shift = 16 },
};

static void *make_vms(void *arg)
{
	struct kvm_ppc_hv_ext_state state;
	unsigned long i, n = scaled(30);
	struct maker *maker = arg;
	int vm, kvm = open_kvm(maker->path);

	for (i = 0; i < n; i++) {
		vm = create_vm(kvm);
		if (vm < 0)
			die("%s: %s", maker->path, strerror(-vm));
		get_state(vm, &state);
		maker->wrong += state.max_page_shift != maker->shift;
		close(vm);
	}
	close(kvm);
	return NULL;
}

TEST_F_TIMEOUT(nodes, at_the_same_time, 120)
{
	pthread_t threads[ARRAY_SIZE(makers)];
	long shift = module_param("hpt_max_page_shift");
	int i;

	ASSERT_EQ(0, profile("t-stop,hpt_max_page_shift=12"));
	ASSERT_EQ(0, profile("t-off,hpt_max_page_shift=16"));
	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		makers[i].shift = makers[i].shift ?: shift;
		pthread_create(&threads[i], NULL, make_vms, &makers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(makers); i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(0, makers[i].wrong)
			TH_LOG("%s", makers[i].path);
	}
}

/* From modprobe's configuration, several of them, and no longer than the module. */
TEST_F(nodes, with_the_module)
{
	char params[1024], with[1280];
	int kvm, vm;

	if (!module_path())
		SKIP(return, "no kvm-hv-ext.ko: set KVM_HV_EXT_KO");
	module_params(params, sizeof(params));
	snprintf(with, sizeof(with), "%s profile=t-stop,hpt_max_page_shift=16 profile=t-off",
		 params);
	ASSERT_EQ(0, module_remove());
	EXPECT_EQ(-ENOENT, open_kvm("/dev/kvm-t-stop"));
	ASSERT_EQ(0, module_insert(module_path(), with));
	kvm = open_kvm("/dev/kvm-t-stop");
	EXPECT_LE(0, kvm);
	vm = create_vm(kvm);
	EXPECT_LE(0, vm);
	close(vm);
	close(kvm);
	EXPECT_EQ(0, access("/dev/kvm-t-off", F_OK));
	EXPECT_EQ(0, module_remove());
	EXPECT_NE(0, access("/dev/kvm-t-stop", F_OK));
	EXPECT_NE(0, access("/dev/kvm-t-off", F_OK));

	snprintf(with, sizeof(with), "%s profile=t-odd profile=t-odd", params);
	EXPECT_EQ(-EEXIST, module_insert(module_path(), with));
	snprintf(with, sizeof(with), "%s profile=t-odd profile=t-stop,nonsense",
		 params);
	EXPECT_EQ(-EINVAL, module_insert(module_path(), with));
	EXPECT_NE(0, access("/dev/kvm-t-odd", F_OK));
	ASSERT_EQ(0, module_insert(module_path(), params));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
}

TEST_HARNESS_MAIN
