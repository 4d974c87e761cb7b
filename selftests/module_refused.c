// SPDX-License-Identifier: GPL-2.0
/*
 * kvm-hv-ext is not inserted where it cannot do its work, and leaves nothing behind: it
 * comes as soon as there is no reason against it any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "vmm.h"

#define ORDER		18

FIXTURE(refused)
{
	const char *path;
	struct module_away away;
	int kmsg;
};

FIXTURE_SETUP(refused)
{
	const char *why = vmm_lacks(ROAD_IOCTL) ?: module_lacks();

	if (why)
		SKIP(return, "%s", why);
	self->path = module_path();
	self->kmsg = kmsg_open();
	ASSERT_EQ(0, module_take_out(&self->away));
}

FIXTURE_TEARDOWN(refused)
{
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
	close(self->kmsg);
	if (module_loaded())
		EXPECT_EQ(0, module_remove());
	EXPECT_EQ(0, module_put_back(&self->away));
}

/* It does not come, and leaves nothing. */
#define EXPECT_REFUSED(self, error, parameters) do {			\
	EXPECT_EQ(error, module_insert((self)->path, parameters));	\
	EXPECT_FALSE(module_loaded());					\
} while (0)

TEST_F(refused, nonsense)
{
	EXPECT_REFUSED(self, -EINVAL, "resize_strategy=move");
	/* Profiles that were there before the nonsense go. */
	EXPECT_REFUSED(self, -EINVAL, "profile=fine profile=NOT_FINE");
	ASSERT_EQ(0, module_insert(self->path, "profile=fine"));
	EXPECT_EQ(0, access("/dev/kvm-fine", F_OK));
}

#define KPROBES	"/sys/kernel/debug/kprobes/enabled"

/* The kernel takes probes, but nobody comes to them. */
TEST_F(refused, probes_are_off)
{
	if (file_write(KPROBES, "0"))
		SKIP(return, "no kprobes to turn off");
	EXPECT_REFUSED(self, -EOPNOTSUPP, "profile=fine");
	EXPECT_EQ(-ENOENT, access("/dev/kvm-fine", F_OK) ? -errno : 0);
	ASSERT_EQ(0, file_write(KPROBES, "1"));
	EXPECT_EQ(0, module_insert(self->path, ""));
}

/* There is KVM, but not KVM HV. */
TEST_F(refused, no_kvm_hv)
{
	struct vm *vm;

	if (syscall(SYS_delete_module, "kvm_hv", O_NONBLOCK))
		SKIP(return, "KVM HV does not go");
	EXPECT_EQ(-ENODEV, module_insert(self->path, ""));
	EXPECT_FALSE(module_loaded());
	ASSERT_EQ(0, system("modprobe kvm-hv"));
	ASSERT_EQ(0, module_insert(self->path, ""));
	vm = vm_create(.order = ORDER);
	EXPECT_NE(0, vm_has_ext(vm, KVM_CAP_PPC_HV_EXT));
	EXPECT_GUEST_RUNS(&vm->vcpu[0]);
	vm_destroy(vm);
}

/* Something else has the name of /dev/kvm, where who inserts the module looks. */
TEST_F(refused, no_dev_kvm)
{
	static const char *const others[] = { "/dev/null", "/dev/fuse", "/proc/version" };
	struct stat st;
	unsigned int i;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (stat(others[i], &st))
			continue;
		ASSERT_EQ(0, mount(others[i], "/dev/kvm", NULL, MS_BIND, NULL));
		ASSERT_EQ(0, module_insert(self->path, "profile=early"));
		EXPECT_NE(0, access("/dev/kvm-early", F_OK));
		EXPECT_EQ(-ENODEV, file_write(PROFILES, "late"));
		EXPECT_NE(0, access("/dev/kvm-late", F_OK));
		ASSERT_EQ(0, umount("/dev/kvm"));
		EXPECT_EQ(0, file_write(PROFILES, "late"));
		EXPECT_EQ(0, access("/dev/kvm-late", F_OK));
		ASSERT_EQ(0, module_remove());
	}
}

TEST_HARNESS_MAIN
