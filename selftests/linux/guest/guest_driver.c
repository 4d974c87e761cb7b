// SPDX-License-Identifier: GPL-2.0
/*
 * guest_driver: pseries-hpt's files against everything that a person, a script
 * or an unlucky moment can do to them. Runs in a Linux HPT guest.
 *
 * Two sizes are used, the one found and the next bigger one, so that no shrink
 * meets a collision it was not meant to. What needs a moment that may be missed
 * (a signal while the hypervisor prepares) is tried again, up to TRIES times.
 */
#include <dirent.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#include "hpt.h"
#include "kmsg.h"
#include "rcu.h"

#define TRIES		20
/* On an emulated host, a resize may take a second. */
#define TEST_SECONDS	120

/* The two sizes. */
static long small, big;

FIXTURE(hpt) {
	long timeout_ms, busy_timeout_ms;
	int kernel_log;
};

/*
 * The probes of the test module trap in hcalls. With them a 7.3 guest has been seen to
 * leave a thread "in NMI" (0x10000000 in its preempt count), which then may not sleep. The
 * only NMI that a guest has is the watchdog's, so that is off here. That it is the cause is
 * not proven; without these probes it was never seen.
 */
#define NMI_WATCHDOG	"/proc/sys/kernel/nmi_watchdog"

FIXTURE_SETUP(hpt)
{
	if (!access(NMI_WATCHDOG, W_OK))
		ASSERT_EQ(0, write_number(NMI_WATCHDOG, 0));
	/* A failed test may have left it. */
	remove_module_named("pseries_hpt_test");
	ASSERT_EQ(small, read_number(HPT_ORDER));
	self->timeout_ms = read_number(HPT_TIMEOUT);
	self->busy_timeout_ms = read_number(HPT_BUSY_TIMEOUT);
	self->kernel_log = kmsg_open();
}

/*
 * Whatever went wrong, the next test begins the same way; and none may leave
 * anything alarming in the kernel's log.
 */
FIXTURE_TEARDOWN(hpt)
{
	/* A failed test may have left it out. */
	insert_module();
	remove_module_named("pseries_hpt_test");
	EXPECT_EQ(0, write_number(HPT_TIMEOUT, self->timeout_ms));
	EXPECT_EQ(0, write_number(HPT_BUSY_TIMEOUT, self->busy_timeout_ms));
	EXPECT_EQ(0, write_number(HPT_ORDER, small));
	EXPECT_EQ(0, kmsg_complaints(self->kernel_log));
	close(self->kernel_log);
}

#define HPT_TEST(name)	TEST_F_TIMEOUT(hpt, name, TEST_SECONDS)

static int resize(long order)
{
	return write_number(HPT_ORDER, order);
}

/* This size is in force, the kernel agrees, and nothing is in flight. */
static bool settled(long order)
{
	long ours = read_number(HPT_ORDER), kernels = read_number(KERNEL_ORDER);
	bool idle = state_is("idle");

	if (ours == order && kernels == order && idle)
		return true;
	printf("# expected order %ld, found %ld, the kernel's is %ld%s\n", order,
	       ours, kernels, idle ? "" : ", and a resize is in flight");
	return false;
}

/* What a hypervisor may answer, as hvcall.h has it. */
#define H_BUSY		1
#define H_NO_MEM	-9
#define H_PTEG_FULL	-6
#define H_RESOURCE	-16
#define LONG_BUSY_1_MS	9900	/* the next ones: 10, 100 ... 100000 ms */

/* Has the next @count PREPAREs answered so, without asking the hypervisor. */
static int answer_prepares(unsigned int count, long answer)
{
	return insert_module_file(TEST_MODULE) ?:
	       write_number(TEST_PARAM "answer", answer) ?:
	       write_number(TEST_PARAM "answers", count);
}

#define CPU_ONLINE	"/sys/devices/system/cpu/cpu%u/online"
#define MAX_CPUS	16

/* The first CPU that is there and is online, or is not; 0 if there is none. */
static unsigned int find_cpu(bool online, char *file, int size)
{
	unsigned int cpu;

	for (cpu = 1; cpu < MAX_CPUS; cpu++) {
		snprintf(file, size, CPU_ONLINE, cpu);
		if (!access(file, W_OK) && read_number(file) == online)
			return cpu;
	}
	return 0;
}

/*
 * With a CPU that was not there when the HPT had another size, and with one that comes
 * while the hypervisor prepares. A guest that was booted with maxcpus= has some that
 * are yet to come.
 */
HPT_TEST(cpus_come)
{
	char file[64];
	pid_t writer;
	int i;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	if (!find_cpu(false, file, sizeof(file)))
		SKIP(return, "all CPUs of this guest are online");

	ASSERT_EQ(0, resize(big));
	ASSERT_EQ(0, write_number(file, 1));
	EXPECT_EQ(0, resize(small));

	for (i = 0; find_cpu(false, file, sizeof(file)); i++) {
		ASSERT_EQ(0, answer_prepares(UINT_MAX, LONG_BUSY_1_MS + 1));
		writer = spawn_writer(HPT_ORDER, i & 1 ? small : big);
		ASSERT_TRUE(await_preparing(writer));
		ASSERT_EQ(0, write_number(file, 1));
		EXPECT_TRUE(state_is("preparing"));
		ASSERT_EQ(0, write_number(TEST_PARAM "answers", 0));
		ASSERT_EQ(0, reap_writer(writer));
		ASSERT_TRUE(settled(i & 1 ? small : big));
		ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
	}
	EXPECT_GT(i, 0) TH_LOG("only one CPU was yet to come");
}

HPT_TEST(cpus_go)
{
	char file[64];
	pid_t toggler;
	int i;

	if (!find_cpu(true, file, sizeof(file)))
		SKIP(return, "this guest has one CPU");
	if (rcu_deadlocks())
		SKIP(return, "RCU of this kernel can deadlock as a CPU goes");

	ASSERT_EQ(0, write_number(file, 0));
	EXPECT_EQ(0, resize(big));
	ASSERT_EQ(0, write_number(file, 1));
	ASSERT_EQ(0, resize(small));

	toggler = fork();
	ASSERT_GE(toggler, 0);
	if (toggler == 0) {
		for (i = 0; i < 6; i++)
			if (write_number(file, i & 1))
				_exit(errno);
		_exit(0);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, resize(big));
		EXPECT_EQ(0, resize(small));
	}
	ASSERT_EQ(0, reap_writer(toggler));
	ASSERT_TRUE(settled(small));
}

HPT_TEST(resizes)
{
	char digits[3];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, resize(big));
		ASSERT_TRUE(settled(big));
		ASSERT_EQ(0, resize(small));
		ASSERT_TRUE(settled(small));
	}

	/* Without a newline, too. */
	snprintf(digits, sizeof(digits), "%ld", big);
	ASSERT_EQ(0, write_text(HPT_ORDER, digits));
	ASSERT_TRUE(settled(big));
}

/* How long COMMIT took by the kernel's own account in the log since @fd; or -1. */
static long kernels_commit_ms(int fd)
{
	long prepare, commit = -1;
	char record[1024], *at;
	ssize_t len;

	while ((len = read(fd, record, sizeof(record) - 1)) > 0) {
		record[len] = 0;
		at = strstr(record, "complete (");
		if (at && sscanf(at, "complete (%ld ms / %ld ms)", &prepare,
				 &commit) != 2)
			commit = -1;
	}
	return commit;
}

/* In the unit it says, and together the better part of what the write took. */
HPT_TEST(tells_the_times)
{
	long elapsed = LONG_MAX, prepare = 0, commit = 0, kernels_ms;
	int log, i;

	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ASSERT_GE(log, 0);
	/* The host may stand still outside of what is measured, but not each time. */
	for (i = 0; i < 3 && prepare + commit < elapsed / 2 - 2 * TICK_US; i++) {
		lseek(log, 0, SEEK_END);
		elapsed = now_us();
		ASSERT_EQ(0, resize(i % 2 ? small : big));
		elapsed = now_us() - elapsed;
		prepare = read_number(HPT_PREPARE_US);
		commit = read_number(HPT_COMMIT_US);
		kernels_ms = kernels_commit_ms(log);

		TH_LOG("prepare %ld us, commit %ld us (the kernel says %ld ms), the write %ld us",
		       prepare, commit, kernels_ms, elapsed);
		ASSERT_GT(prepare, 0);
		ASSERT_GT(commit, 0);
		ASSERT_GE(kernels_ms, 0);
		ASSERT_GE(commit, kernels_ms * 1000);
		ASSERT_LE(prepare + commit, elapsed + 2 * TICK_US);
	}
	close(log);
	ASSERT_GE(prepare + commit, elapsed / 2 - 2 * TICK_US);
}

/* What ibm,pft-size of each CPU says; -1 if they do not agree, or there is none. */
static long device_tree_order(void)
{
	char file[400];
	unsigned char cells[8];
	struct dirent *entry;
	long order = 0;
	DIR *cpus;
	int fd;

	cpus = opendir("/proc/device-tree/cpus");
	while (cpus && (entry = readdir(cpus))) {
		snprintf(file, sizeof(file), "/proc/device-tree/cpus/%s/ibm,pft-size",
			 entry->d_name);
		fd = open(file, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, cells, sizeof(cells)) != sizeof(cells) ||
		    (order && cells[7] != order))
			order = -1;
		else if (order >= 0)
			order = cells[7];
		close(fd);
	}
	if (cpus)
		closedir(cpus);
	return order ?: -1;
}

/* The kernel that kexec starts has nothing else to know it by. */
HPT_TEST(device_tree_follows)
{
	int i;

	ASSERT_EQ(small, device_tree_order());
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, resize(big));
		EXPECT_EQ(big, device_tree_order());
		ASSERT_EQ(0, resize(small));
		EXPECT_EQ(small, device_tree_order());
	}

	/* A new instance of the driver goes on with what it finds. */
	ASSERT_EQ(0, remove_module());
	ASSERT_EQ(0, write_number(KERNEL_ORDER, big));
	EXPECT_EQ(small, device_tree_order());
	ASSERT_EQ(0, insert_module());
	EXPECT_EQ(big, device_tree_order());
}

#define OFDT		"/proc/powerpc/ofdt"
#define CPU_NODE	"/cpus/PowerPC,test@9999"

/*
 * Its node has the order of the moment when the kernel asked the hypervisor for it. Here
 * the kernel's own file for such things stands in for the hypervisor.
 */
HPT_TEST(cpu_comes_with_another_order)
{
	char node[] = "add_node " CPU_NODE " device_type 4 cpu\0 ibm,pft-size 8 \0\0\0\0\0\0\0x";
	long until;

	ASSERT_EQ(small, device_tree_order());
	node[sizeof(node) - 2] = big;
	ASSERT_EQ(0, write_file(OFDT, node, sizeof(node) - 1));
	until = now_us() + 10000000;
	while (device_tree_order() != small && now_us() < until)
		usleep(1000);
	EXPECT_EQ(small, device_tree_order());
	EXPECT_EQ(0, write_text(OFDT, "remove_node " CPU_NODE));
	EXPECT_EQ(small, device_tree_order());
}

/* Opens a file for poll(), with all that there was to see seen. */
static int open_polled(const char *file)
{
	char line[64];
	int fd = open(file, O_RDONLY);

	if (fd < 0 || read(fd, line, sizeof(line)) < 0)
		bail_out(file, errno);
	return fd;
}

static bool wakes(int fd, int ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLPRI };

	return poll(&polled, 1, ms) == 1 && polled.revents & POLLPRI;
}

HPT_TEST(wakes_for_each_change)
{
	static const char * const files[] = {
		HPT_ORDER, HPT_PREPARE_US, HPT_COMMIT_US, HPT_STATE, HPT_PROGRESS,
	};
	int fds[ARRAY_SIZE(files)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		fds[i] = open_polled(files[i]);
		EXPECT_FALSE(wakes(fds[i], 0)) TH_LOG("%s: before", files[i]);
	}
	ASSERT_EQ(0, resize(big));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_TRUE(wakes(fds[i], 0)) TH_LOG("%s: not woken", files[i]);
		close(fds[i]);
	}

	/* By somebody else: the device tree is right when "order" wakes. */
	fds[0] = open_polled(HPT_ORDER);
	ASSERT_EQ(0, write_number(KERNEL_ORDER, small));
	EXPECT_TRUE(wakes(fds[0], 10000));
	EXPECT_EQ(small, device_tree_order());
	close(fds[0]);
}

HPT_TEST(tells_how_far_it_is)
{
	char text[128];
	pid_t writer;
	long order, elapsed, hint;
	int fields;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	read_text(HPT_PROGRESS, text, sizeof(text));
	EXPECT_STREQ("", text);

	ASSERT_EQ(0, answer_prepares(UINT_MAX, LONG_BUSY_1_MS + 2));
	writer = spawn_writer(HPT_ORDER, big);
	ASSERT_TRUE(await_preparing(writer));
	do
		read_text(HPT_PROGRESS, text, sizeof(text));
	while (!*text && !ended(writer));
	fields = sscanf(text, "order %ld\nelapsed_ms %ld\nhint_ms %ld\n", &order, &elapsed,
			&hint);
	ASSERT_EQ(3, fields);
	EXPECT_EQ(big, order);
	EXPECT_EQ(100, hint);
	EXPECT_GE(elapsed, 0);
	kill(writer, SIGUSR1);
	ASSERT_EQ(EINTR, reap_writer(writer));
	read_text(HPT_PROGRESS, text, sizeof(text));
	EXPECT_STREQ("", text);
}

/* Runs the program, with what it prints in @text. Its exit status. */
static int hpt_resize(const char *arguments, char *text, int size)
{
	char command[128];
	size_t len;
	FILE *f;

	snprintf(command, sizeof(command), "/guest/hpt-resize %s 2>&1", arguments);
	f = popen(command, "r");
	if (!f)
		bail_out(command, errno);
	len = fread(text, 1, size - 1, f);
	text[len] = 0;
	return WEXITSTATUS(pclose(f));
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

HPT_TEST(has_a_tool)
{
	char text[1024], expected[64];

	ASSERT_EQ(0, hpt_resize("", text, sizeof(text)));
	snprintf(expected, sizeof(expected), "order         %ld (", small);
	EXPECT_TRUE(begins(text, expected)) TH_LOG("%s", text);
	EXPECT_NE(NULL, strstr(text, "state         idle\n"));

	ASSERT_EQ(0, hpt_resize("--json +1", text, sizeof(text)));
	snprintf(expected, sizeof(expected), "{\"from\":%ld,\"order\":%ld,", small, big);
	EXPECT_TRUE(begins(text, expected)) TH_LOG("%s", text);
	ASSERT_TRUE(settled(big));
	ASSERT_EQ(0, hpt_resize("--quiet -- -1", text, sizeof(text)));
	EXPECT_STREQ("", text);
	ASSERT_TRUE(settled(small));

	EXPECT_EQ(1, hpt_resize("17", text, sizeof(text)));
	EXPECT_TRUE(begins(text, "hpt-resize: EINVAL: ")) TH_LOG("%s", text);
	EXPECT_EQ(2, hpt_resize("many", text, sizeof(text)));
	ASSERT_EQ(0, answer_prepares(UINT_MAX, H_NO_MEM));
	EXPECT_EQ(1, hpt_resize("+1", text, sizeof(text)));
	EXPECT_TRUE(begins(text, "hpt-resize: ENOMEM: the hypervisor has no memory"))
		TH_LOG("%s", text);
	EXPECT_EQ(1, hpt_resize("--json +1", text, sizeof(text)));
	EXPECT_TRUE(begins(text, "{\"error\":\"ENOMEM\",\"errno\":12,"))
		TH_LOG("%s", text);
	ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));

	ASSERT_EQ(0, remove_module());
	EXPECT_EQ(1, hpt_resize("", text, sizeof(text)));
	EXPECT_TRUE(begins(text, "hpt-resize: ENOENT: ")) TH_LOG("%s", text);
}

/* Who ends the program ends what it has begun, and knows only the one PID. */
HPT_TEST(end_of_the_tool_ends_the_resize)
{
	long until;
	pid_t tool;

	ASSERT_EQ(0, answer_prepares(UINT_MAX, LONG_BUSY_1_MS + 1));
	tool = fork();
	ASSERT_GE(tool, 0);
	if (tool == 0) {
		execl("/guest/hpt-resize", "hpt-resize", "--quiet", "+1", NULL);
		_exit(errno);
	}
	ASSERT_TRUE(await_preparing(tool));
	kill(tool, SIGKILL);
	waitpid(tool, NULL, 0);
	until = now_us() + 10000000;
	while (!state_is("idle") && now_us() < until)
		usleep(1000);
	EXPECT_TRUE(settled(small));
	ASSERT_EQ(0, write_number(TEST_PARAM "answers", 0));
	ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
}

#define HCALL_EXIT	"/sys/kernel/tracing/events/powerpc/hcall_exit/"

/* Answered here: a hypervisor gives the longer ones for tables of many GiB only. */
HPT_TEST(sleeps_as_long_as_advised)
{
	static const struct {
		long answer, us;
	} advice[] = {
		{ LONG_BUSY_1_MS, 1000 },
		{ LONG_BUSY_1_MS + 1, 10000 },
		{ LONG_BUSY_1_MS + 2, 100000 },
		{ LONG_BUSY_1_MS + 3, 1000000 },
	};
	unsigned int i;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	for (i = 0; i < ARRAY_SIZE(advice); i++) {
		ASSERT_EQ(0, answer_prepares(3, advice[i].answer));
		ASSERT_EQ(0, resize(big));
		EXPECT_EQ(0, read_number(TEST_PARAM "answers"));
		EXPECT_GE(read_number(HPT_PREPARE_US), 3 * advice[i].us);
		ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
		ASSERT_EQ(0, resize(small));
	}
}

/* The kernel's COMMIT would run whatever is attached, at a moment that hardly bears it. */
HPT_TEST(refuses_when_hcalls_are_traced)
{
	int traced;

	ASSERT_EQ(0, write_text(HCALL_EXIT "enable", "1"));
	traced = resize(big);
	ASSERT_EQ(0, write_text(HCALL_EXIT "enable", "0"));
	EXPECT_EQ(EBUSY, traced);
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, resize(big));
}

/* Nor does memory hotplug's, or that of debugfs: the probe in stop_machine() is for all. */
HPT_TEST(no_commit_is_traced)
{
	int traced;

	ASSERT_EQ(0, write_text(HCALL_EXIT "enable", "1"));
	traced = write_number(KERNEL_ORDER, big);
	ASSERT_EQ(0, write_text(HCALL_EXIT "enable", "0"));
	EXPECT_EQ(EIO, traced);
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, write_number(KERNEL_ORDER, big));
	ASSERT_TRUE(settled(big));
}

HPT_TEST(present_size_is_nothing_to_do)
{
	long prepare, commit;

	ASSERT_EQ(0, resize(big));
	prepare = read_number(HPT_PREPARE_US);
	commit = read_number(HPT_COMMIT_US);
	ASSERT_EQ(0, resize(big));
	ASSERT_EQ(prepare, read_number(HPT_PREPARE_US));
	ASSERT_EQ(commit, read_number(HPT_COMMIT_US));
	ASSERT_TRUE(settled(big));
}

HPT_TEST(refuses_what_is_no_size)
{
	static const char * const garbage[] = {
		"\n", "abc", "abc\n", "-1", "-23", "2 3", "23 24", "23x",
		" 23", "0x17", "23.0", "0", "1", "17", "47", "256",
		"4294967319", "18446744073709551639",
		"99999999999999999999999999", "\xff",
	};
	static const char nul_within[] = { '2', 0, '3' };
	char digits[4000];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		EXPECT_EQ(EINVAL, write_text(HPT_ORDER, garbage[i]))
			TH_LOG("for garbage number %u", i);
	}
	EXPECT_EQ(EINVAL, write_file(HPT_ORDER, nul_within, 3));
	memset(digits, '1', sizeof(digits));
	EXPECT_EQ(EINVAL, write_file(HPT_ORDER, digits, sizeof(digits)));

	/* To write nothing is to ask for nothing. */
	EXPECT_EQ(0, write_text(HPT_ORDER, ""));
	ASSERT_TRUE(settled(small));
}

HPT_TEST(refuses_what_is_no_timeout)
{
	static const char * const garbage[] = {
		"\n", "x", "-1", "0", "0x10", "4294967296",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(garbage); i++) {
		EXPECT_EQ(EINVAL, write_text(HPT_TIMEOUT, garbage[i]))
			TH_LOG("for garbage number %u", i);
		EXPECT_EQ(EINVAL, write_text(HPT_BUSY_TIMEOUT, garbage[i]))
			TH_LOG("for garbage number %u", i);
	}
	ASSERT_EQ(self->timeout_ms, read_number(HPT_TIMEOUT));
	ASSERT_EQ(self->busy_timeout_ms, read_number(HPT_BUSY_TIMEOUT));

	ASSERT_EQ(0, write_number(HPT_TIMEOUT, UINT_MAX));
	ASSERT_EQ(UINT_MAX, read_number(HPT_TIMEOUT));
	ASSERT_EQ(0, write_number(HPT_BUSY_TIMEOUT, UINT_MAX));
	ASSERT_EQ(UINT_MAX, read_number(HPT_BUSY_TIMEOUT));
	ASSERT_EQ(0, resize(big));
	ASSERT_TRUE(settled(big));
}

HPT_TEST(is_for_root_only)
{
	pid_t pid = fork();

	ASSERT_GE(pid, 0);
	if (pid == 0) {
		if (setuid(65534))
			_exit(errno);
		_exit(resize(big));
	}
	ASSERT_EQ(EACCES, reap_writer(pid));
	ASSERT_TRUE(settled(small));
}

/* Who is root but may do nothing, as in a container, may not do this either. */
HPT_TEST(takes_a_capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	pid_t pid = fork();
	int ret;

	ASSERT_GE(pid, 0);
	if (pid == 0) {
		if (syscall(SYS_capset, &header, none))
			_exit(errno);
		ret = write_number(HPT_TIMEOUT, 1000);
		if (ret != EPERM || write_number(HPT_BUSY_TIMEOUT, 1000) != EPERM)
			_exit(ret);
		_exit(resize(big));
	}
	ASSERT_EQ(EPERM, reap_writer(pid));
	ASSERT_TRUE(settled(small));
	EXPECT_EQ(self->timeout_ms, read_number(HPT_TIMEOUT));
	EXPECT_EQ(self->busy_timeout_ms, read_number(HPT_BUSY_TIMEOUT));
}

/* 64 TiB is more than any hypervisor gives a guest as small as this. */
HPT_TEST(eperm_beyond_the_policy)
{
	ASSERT_EQ(EPERM, resize(46));
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, resize(big));
}

/* The smallest HPT has no room for the kernel's linear mapping. */
HPT_TEST(enospc_when_bolted_entries_collide)
{
	ASSERT_EQ(ENOSPC, resize(18));
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, resize(big));
}

/* From a hypervisor that never gets ready, as long as it is told not to. */
HPT_TEST(etimedout_when_it_takes_too_long)
{
	const long limit = 200000;
	long elapsed;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, insert_module_file(TEST_MODULE));
	ASSERT_EQ(0, write_number(TEST_PARAM "all_the_time", 1));

	ASSERT_EQ(0, write_number(HPT_TIMEOUT, limit / 1000));
	elapsed = now_us();
	EXPECT_EQ(ETIMEDOUT, resize(big));
	elapsed = now_us() - elapsed;
	EXPECT_GE(elapsed, limit - 2 * TICK_US);
	EXPECT_LE(elapsed, limit * 50);
	EXPECT_TRUE(settled(small));

	ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
	ASSERT_EQ(0, write_number(HPT_TIMEOUT, self->timeout_ms));
	ASSERT_EQ(0, resize(big));
}

/*
 * Now a hypervisor that has no time to begin, as when the guest is migrated: asked
 * again, by a limit of its own.
 */
HPT_TEST(asks_again_when_busy)
{
	/* None of it is spent preparing. */
	const long waits = (10 + 20 + 40 + 80 + 160 + 320 + 640 + 1000) * 1000;
	long elapsed;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, answer_prepares(8, H_BUSY));
	ASSERT_EQ(0, write_number(HPT_TIMEOUT, waits / 1000 - 100));
	elapsed = now_us();
	ASSERT_EQ(0, resize(big));
	elapsed = now_us() - elapsed;
	EXPECT_EQ(0, read_number(TEST_PARAM "answers"));
	/* Each wait may be a tick shorter than it was to be. */
	EXPECT_LE(read_number(HPT_PREPARE_US), elapsed - waits + 8 * TICK_US);
	ASSERT_TRUE(settled(big));
}

HPT_TEST(ebusy_when_busy_for_too_long)
{
	const long limit = 300000;
	long elapsed;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, answer_prepares(UINT_MAX, H_BUSY));
	ASSERT_EQ(0, write_number(HPT_BUSY_TIMEOUT, limit / 1000));
	elapsed = now_us();
	EXPECT_EQ(EBUSY, resize(big));
	elapsed = now_us() - elapsed;
	EXPECT_GE(elapsed, limit - 2 * TICK_US);
	EXPECT_LE(elapsed, limit * 50);
	ASSERT_TRUE(settled(small));
}

HPT_TEST(signal_ends_the_wait_for_a_busy_hypervisor)
{
	pid_t writer;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, answer_prepares(UINT_MAX, H_BUSY));
	writer = spawn_writer(HPT_ORDER, big);
	ASSERT_TRUE(await_state(writer, "waiting"));
	ASSERT_EQ(0, kill(writer, SIGUSR1));
	ASSERT_EQ(EINTR, reap_writer(writer));
	ASSERT_TRUE(settled(small));
}

/* Each is told at once. */
HPT_TEST(tells_why_prepare_failed)
{
	static const struct {
		long answer;
		int error;
	} refusals[] = {
		{ H_PTEG_FULL, ENOSPC },
		{ H_NO_MEM, ENOMEM },
		{ H_RESOURCE, EPERM },
	};
	unsigned int i;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		ASSERT_EQ(0, answer_prepares(1, refusals[i].answer));
		EXPECT_EQ(refusals[i].error, resize(big));
		EXPECT_EQ(0, read_number(TEST_PARAM "answers"));
		ASSERT_TRUE(settled(small));
		ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
	}
}

/*
 * A signal while the hypervisor prepares. Returns what the writer said, or 0
 * if the signal always came too late.
 */
static int interrupt_writer(int sig)
{
	pid_t writer;
	int i, ret;

	for (i = 0; i < TRIES; i++) {
		writer = spawn_writer(HPT_ORDER, big);
		if (await_preparing(writer))
			kill(writer, sig);
		ret = reap_writer(writer);
		if (read_number(HPT_ORDER) == small)
			return ret;
		/* A writer may also be killed when it is done. */
		if (resize(small))
			break;
	}
	return 0;
}

HPT_TEST(signal_cancels)
{
	ASSERT_EQ(EINTR, interrupt_writer(SIGUSR1));
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, resize(big));
}

HPT_TEST(kill_cancels)
{
	ASSERT_EQ(WRITER_KILLED + SIGKILL, interrupt_writer(SIGKILL));
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, resize(big));
}

/*
 * What has no handler, as the freezer before a suspend: the writer lets go of what it
 * holds, and starts over.
 */
HPT_TEST(stopped_writer_starts_over)
{
	bool overlapped = false;
	pid_t writer;
	int i;

	for (i = 0; i < TRIES && !overlapped; i++) {
		writer = spawn_writer(HPT_ORDER, big);
		if (await_preparing(writer)) {
			ASSERT_EQ(0, kill(writer, SIGSTOP));
			overlapped = await_stopped(writer) &&
				     state_is("idle");
		}
		if (overlapped)
			EXPECT_EQ(small, read_number(HPT_ORDER));
		ASSERT_EQ(0, kill(writer, SIGCONT));
		ASSERT_EQ(0, reap_writer(writer));
		ASSERT_TRUE(settled(big));
		ASSERT_EQ(0, resize(small));
	}
	ASSERT_TRUE(overlapped);
}

/* The later one waits for its turn, and so has the last word. */
HPT_TEST(writers_take_turns)
{
	bool overlapped = false;
	pid_t first, second;
	int i;

	for (i = 0; i < TRIES && !overlapped; i++) {
		first = spawn_writer(HPT_ORDER, big);
		overlapped = await_preparing(first);
		second = spawn_writer(HPT_ORDER, small);
		ASSERT_EQ(0, reap_writer(first));
		ASSERT_EQ(0, reap_writer(second));
		ASSERT_TRUE(settled(small));
	}
	ASSERT_TRUE(overlapped);
}

/* At once, not when the turn has come. */
HPT_TEST(signal_ends_the_wait_for_a_turn)
{
	bool at_once = false;
	pid_t first, second;
	int i, ret;

	for (i = 0; i < TRIES && !at_once; i++) {
		first = spawn_writer(HPT_ORDER, big);
		await_preparing(first);
		second = spawn_writer(HPT_ORDER, small);
		await_sleeping(second);
		kill(second, SIGUSR1);
		ret = reap_writer(second);
		EXPECT_TRUE(!ret || ret == EINTR);
		at_once = ret == EINTR && !ended(first);
		ASSERT_EQ(0, reap_writer(first));
		ASSERT_TRUE(settled(ret ? big : small));
		ASSERT_EQ(0, resize(small));
	}
	ASSERT_TRUE(at_once);
}

HPT_TEST(kernels_own_resizer_works)
{
	ASSERT_EQ(0, write_number(KERNEL_ORDER, big));
	ASSERT_TRUE(settled(big));
	ASSERT_EQ(0, resize(small));
	ASSERT_TRUE(settled(small));
	ASSERT_EQ(0, resize(big));
	ASSERT_EQ(0, write_number(KERNEL_ORDER, small));
	ASSERT_TRUE(settled(small));
}

/* Until the kernel's resizer has said in the log since @fd that it begins. */
static bool await_rival(int fd, pid_t rival)
{
	char record[1024];
	ssize_t len;

	while (!ended(rival)) {
		len = read(fd, record, sizeof(record) - 1);
		if (len <= 0) {
			usleep(1000);
			continue;
		}
		record[len] = 0;
		if (strstr(record, "Attempting to resize HPT"))
			return true;
	}
	return false;
}

/*
 * The kernel's resizer and ours at the same time: each cancels what the other
 * has had prepared, so that PREPARE starts over and COMMIT finds nothing or
 * another size. Either may give up (EIO), but they agree on the size. So that they do
 * meet, PREPARE is answered here until both are at it.
 */
HPT_TEST(survives_cancelled_prepares)
{
	int i, ours, kernels, gave_up = 0, met = 0, log;
	pid_t driver, rival;

	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, answer_prepares(0, LONG_BUSY_1_MS + 1));
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, resize(small));
		log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
		ASSERT_GE(log, 0);
		lseek(log, 0, SEEK_END);
		ASSERT_EQ(0, write_number(TEST_PARAM "answers", UINT_MAX));
		driver = spawn_writer(HPT_ORDER, big);
		ASSERT_TRUE(await_preparing(driver));
		rival = spawn_writer(KERNEL_ORDER, i & 1 ? big : small);
		met += await_rival(log, rival) && state_is("preparing");
		ASSERT_EQ(0, write_number(TEST_PARAM "answers", 0));
		close(log);

		ours = reap_writer(driver);
		kernels = reap_writer(rival);
		EXPECT_TRUE(!ours || ours == EIO)
			TH_LOG("the driver answered: %s", strerror(ours));
		EXPECT_TRUE(!kernels || kernels == EIO)
			TH_LOG("the kernel answered: %s", strerror(kernels));
		gave_up += !!ours;
		ASSERT_TRUE(settled(read_number(KERNEL_ORDER)));
	}
	TH_LOG("they met %d times of 6, the driver gave up %d times", met, gave_up);
	EXPECT_EQ(6, met);
	ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
	ASSERT_EQ(0, resize(big));
	ASSERT_EQ(0, resize(small));
	ASSERT_TRUE(settled(small));
}

/*
 * The hypervisor drops the prepared HPT just before COMMIT: started over, but
 * not for ever.
 */
HPT_TEST(starts_over_when_commit_is_cancelled)
{
	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, insert_module_file(TEST_MODULE));

	ASSERT_EQ(0, write_number(TEST_PARAM "before_commit", 1));
	ASSERT_EQ(0, resize(big));
	EXPECT_EQ(0, read_number(TEST_PARAM "before_commit"));
	ASSERT_TRUE(settled(big));

	ASSERT_EQ(0, write_number(TEST_PARAM "before_commit", 3));
	ASSERT_EQ(0, resize(small));
	EXPECT_EQ(0, read_number(TEST_PARAM "before_commit"));
	ASSERT_TRUE(settled(small));

	ASSERT_EQ(0, write_number(TEST_PARAM "before_commit", 100));
	EXPECT_EQ(EIO, resize(big));
	EXPECT_EQ(96, read_number(TEST_PARAM "before_commit"));
	ASSERT_TRUE(settled(small));

	ASSERT_EQ(0, write_number(TEST_PARAM "before_commit", 0));
	ASSERT_EQ(0, resize(big));
	ASSERT_TRUE(settled(big));
	ASSERT_EQ(0, remove_module_named("pseries_hpt_test"));
}

/*
 * Dropped a moment earlier, the kernel's resizer would have to wait, with nothing to
 * end that and no CPU coming or going meanwhile: it is not called.
 */
HPT_TEST(kernels_own_resizer_does_not_wait)
{
	ASSERT_EQ(0, access(TEST_MODULE, R_OK));
	ASSERT_EQ(0, insert_module_file(TEST_MODULE));
	ASSERT_EQ(0, write_number(TEST_PARAM "before_lock", 3));
	ASSERT_EQ(0, resize(big));
	EXPECT_EQ(0, read_number(TEST_PARAM "before_lock"));
	EXPECT_EQ(0, read_number(TEST_PARAM "unready"));
	ASSERT_TRUE(settled(big));
}

HPT_TEST(rmmod_ends_a_resize)
{
	int i, ret = 0;
	pid_t writer;

	for (i = 0; i < TRIES && !ret; i++) {
		writer = spawn_writer(HPT_ORDER, big);
		await_preparing(writer);
		ASSERT_EQ(0, remove_module());
		ret = reap_writer(writer);
		ASSERT_NE(0, access(HPT_ORDER, F_OK));
		ASSERT_EQ(0, insert_module());
		ASSERT_TRUE(settled(ret ? small : big));
		ASSERT_EQ(0, resize(small));
	}
	ASSERT_EQ(ENODEV, ret);
	ASSERT_EQ(0, resize(big));
}

/*
 * In the middle of COMMIT, which waits for a CPU that comes or goes: it is completed, and the
 * device tree knows.
 */
HPT_TEST(rmmod_during_commit)
{
	int i, ret, committed = 0;
	pid_t writer, toggler;
	char file[64];
	bool met;

	if (!find_cpu(true, file, sizeof(file)))
		SKIP(return, "this guest has one CPU");
	if (rcu_deadlocks())
		SKIP(return, "RCU of this kernel can deadlock as a CPU goes");

	toggler = fork();
	ASSERT_GE(toggler, 0);
	if (toggler == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (i = 0; !write_number(file, i & 1); i++)
			usleep(5000);
		_exit(errno);
	}
	for (i = 0; i < TRIES && committed < 3; i++) {
		writer = spawn_writer(HPT_ORDER, big);
		met = await_state(writer, "committing");
		ASSERT_EQ(0, remove_module());
		ret = reap_writer(writer);
		committed += met && !ret;
		EXPECT_EQ(ret ? small : big, device_tree_order());
		ASSERT_EQ(0, insert_module());
		ASSERT_EQ(0, resize(small));
	}
	EXPECT_FALSE(ended(toggler));
	kill(toggler, SIGKILL);
	waitpid(toggler, NULL, 0);
	ASSERT_EQ(0, write_number(file, 1));
	EXPECT_NE(0, committed);
}

HPT_TEST(rmmod_with_the_file_open)
{
	int fd, err = 0;

	fd = open(HPT_ORDER, O_WRONLY);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, remove_module());
	if (write(fd, "23", 2) < 0)
		err = errno;
	ASSERT_EQ(ENODEV, err);
	close(fd);
	ASSERT_EQ(0, insert_module());
	ASSERT_TRUE(settled(small));
}

/* Wakes: whose time is up looks at the file once more, and finds that it is gone, too. */
HPT_TEST(rmmod_wakes_who_polls)
{
	struct pollfd state = { .events = POLLPRI };
	const long limit = 20000;
	char line[16];
	long begin;
	pid_t pid;

	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid == 0) {
		state.fd = open(HPT_STATE, O_RDONLY);
		if (read(state.fd, line, sizeof(line)) < 0)
			_exit(errno);
		begin = now_us();
		if (poll(&state, 1, limit) != 1 || now_us() - begin >= limit * 1000)
			_exit(ETIMEDOUT);
		lseek(state.fd, 0, SEEK_SET);
		_exit(read(state.fd, line, sizeof(line)) < 0 ? errno : 0);
	}
	ASSERT_TRUE(await_waiting_in(pid, "poll"));
	ASSERT_EQ(0, remove_module());
	EXPECT_EQ(ENODEV, reap_writer(pid));
	ASSERT_EQ(0, insert_module());
}

HPT_TEST(insmod_and_rmmod_again_and_again)
{
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, remove_module());
		ASSERT_EQ(0, insert_module());
	}
	ASSERT_EQ(EEXIST, insert_module());
	ASSERT_TRUE(settled(small));
}

/*
 * Before main(), which forks a child for each test. If the hypervisor allows no
 * bigger HPT than the one found, that one is the bigger of the two.
 */
static void __attribute__((constructor)) choose_sizes(void)
{
	int ret;

	ret = insert_module();
	if (ret && ret != EEXIST)
		bail_out("insmod", ret);

	small = read_number(HPT_ORDER);
	ret = resize(small + 1);
	if (ret == EPERM)
		small--;
	else if (ret)
		bail_out("the first resize", ret);
	big = small + 1;

	ret = resize(small);
	if (ret)
		bail_out("the first resize", ret);
}

TEST_HARNESS_MAIN
