// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation that kvm-hv-ext makes, itself or in what it calls, fails once, by the
 * kernel's own fault injection: what was asked for is done or refused with ENOMEM, the VM
 * lives on, and it works when asked again. It takes a kernel for debugging.
 *
 * What threads of the kernel allocate for a resize is resize_nomem's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/kvm_hv_ext.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define ORDER		18
#define MOST		500	/* no operation allocates that often */
#define SLOT		1
#define GPA		(256 * MIB)
#define NODE		"t-fault"

static const char * const faults[] = {
	"/sys/kernel/debug/failslab/", "/sys/kernel/debug/fail_page_alloc/",
};

/* What an operation has left for undo(). */
static int left_open[2] = { -1, -1 };

static int set(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", dir, name);
	return file_write(path, text);
}

struct symbol {
	unsigned long at;
	char name[128];
	bool ours;
};

/* The next function of the kernel's or a module's, or false at the end. */
static bool next_function(FILE *f, struct symbol *s)
{
	char line[256], type;

	while (fgets(line, sizeof(line), f)) {
		s->ours = strstr(line, "[kvm_hv_ext]");
		if (sscanf(line, "%lx %c %127s", &s->at, &type, s->name) == 3 && s->at &&
		    (type == 't' || type == 'T'))
			return true;
	}
	return false;
}

/* Where a function begins and the next one does, or NULL for all of the module's. */
static bool text_of(const char *function, unsigned long *first, unsigned long *end)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	struct symbol s;

	if (!f)
		return false;
	*first = function ? 0 : ~0ul;
	*end = function ? ~0ul : 0;
	while (next_function(f, &s)) {
		if (function && !strcmp(s.name, function)) {
			*first = s.at;
		} else if (!function && s.ours) {
			*first = s.at < *first ? s.at : *first;
			*end = s.at + 4096 > *end ? s.at + 4096 : *end;
		}
	}
	/* A module's are in no order. */
	rewind(f);
	while (function && next_function(f, &s))
		*end = s.at > *first && s.at < *end ? s.at : *end;
	fclose(f);
	return *first && *first < *end && *end != ~0ul;
}

/* Only what is called from there; with 0 and ~0 all, as the kernel has it at first. */
static int choose(unsigned long first, unsigned long last)
{
	char start[32], end[32];
	int i, ret = 0;

	snprintf(start, sizeof(start), "%#lx", first);
	snprintf(end, sizeof(end), "%#lx", last);
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		ret = ret ?: set(faults[i], "require-start", start);
		ret = ret ?: set(faults[i], "require-end", end);
		ret = ret ?: set(faults[i], "stacktrace-depth", "32");
		ret = ret ?: set(faults[i], "ignore-gfp-wait", "N");
		ret = ret ?: set(faults[i], "verbose", "0");
	}
	ret = ret ?: set(faults[1], "ignore-gfp-highmem", "N");
	return ret ?: set(faults[1], "min-order", "0");
}

/* The n-th of this thread's from now on fails; 0: none. */
static void fail_nth(int fd, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		die("fail-nth: %s", strerror(errno));
}

/* Whether it has come to that. */
static bool has_failed(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		die("fail-nth: %s", strerror(errno));
	return !atoi(text);
}

static int keep(int fd)
{
	if (fd < 0)
		return -errno;
	left_open[left_open[0] >= 0] = fd;
	return 0;
}

static int op_create(struct vm *vm)
{
	return keep(ioctl(vm->kvm, KVM_CREATE_VM, KVM_VM_PPC_HV));
}

/* With memory: it is stock KVM's, which complains in the log if it gets none. */
static int before_limit(struct vm *vm)
{
	u32 order = ORDER;
	int ret = op_create(vm);

	if (ret)
		return ret;
	return ioctl(left_open[0], KVM_PPC_ALLOCATE_HTAB, &order) ? -errno : 0;
}

static int op_strategy(struct vm *vm)
{
	return vm_enable(vm, KVM_CAP_PPC_HPT_RESIZE, KVM_PPC_HPT_RESIZE_MIRROR, 0);
}

static int op_stop(struct vm *vm)
{
	/* POWER8 has no such instruction. */
	if (!vm_has_ext(vm, KVM_CAP_PPC_GUEST_STOP))
		return 0;
	return vm_enable(vm, KVM_CAP_PPC_GUEST_STOP, KVM_PPC_GUEST_STOP_EMULATED, 0);
}

/* That of a new one, as it has to be before there are vCPUs. */
static int op_limit(struct vm *vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT,
		.args = { __builtin_ctzl(getpagesize()) },
	};

	return ioctl(left_open[0], KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static int op_hold(struct vm *vm)
{
	struct kvm_ppc_balloon_inhibit arg = { .op = KVM_PPC_BALLOON_HOLD };

	return keep(ioctl(vm->fd, KVM_PPC_BALLOON_INHIBIT, &arg));
}

static int op_notify(struct vm *vm)
{
	struct kvm_ppc_balloon_inhibit arg = { .op = KVM_PPC_BALLOON_NOTIFY };
	int ret;

	ret = keep(eventfd(0, EFD_CLOEXEC));
	if (ret)
		return ret;
	arg.eventfd = left_open[0];
	return vm_ioctl(vm, KVM_PPC_BALLOON_INHIBIT, &arg);
}

static int op_state(struct vm *vm)
{
	struct kvm_ppc_hv_ext_state state;

	return vm_ioctl(vm, KVM_PPC_HV_EXT_STATE, &state);
}

static int op_check_memory(struct vm *vm)
{
	struct kvm_ppc_check_memory arg = {
		.guest_addr = GIB,
		.host_addr = (unsigned long)vm_host(vm, GPA),
		.size = MIB,
	};

	return vm_ioctl(vm, KVM_PPC_CHECK_MEMORY, &arg);
}

static int op_log(struct vm *vm)
{
	return vm_slot_set(vm, SLOT, GPA, KVM_MEM_LOG_DIRTY_PAGES);
}

static int op_resize(struct vm *vm)
{
	return resize(&vm->vcpu[0], ORDER + 1);
}

static int op_prepare(struct vm *vm)
{
	return resize_prepare(&vm->vcpu[0], ORDER + 1);
}

/* The VMM gets what the module cannot do for lack of memory. */
static void vmm_has_none(struct vcpu *vcpu, struct kvm_run *run)
{
	run->papr_hcall.ret = (u64)H_NO_MEM;
}

static int before_page_init(struct vm *vm)
{
	vm->hcall = vmm_has_none;
	return vm_enable(vm, KVM_CAP_PPC_ENABLE_HCALL, H_PAGE_INIT, 1) ?: op_log(vm);
}

static int op_page_init(struct vm *vm)
{
	return hcall_errno(vcpu_hcall2(&vm->vcpu[0], H_PAGE_INIT, H_ZERO_PAGE, GPA));
}

static int op_htab(struct vm *vm)
{
	struct kvm_get_htab_fd arg = { 0 };

	return keep(ioctl(vm->fd, KVM_PPC_GET_HTAB_FD, &arg));
}

static int op_profile(struct vm *vm)
{
	return file_write(PROFILES, NODE ",guest_stop=off");
}

static int op_node(struct vm *vm)
{
	int ret;

	ret = keep(open("/dev/kvm-" NODE, O_RDWR | O_CLOEXEC));
	if (ret)
		return ret;
	return keep(ioctl(left_open[0], KVM_CREATE_VM, KVM_VM_PPC_HV));
}

static int op_debugfs(struct vm *vm)
{
	static const char * const names[] = {
		"balloon", "backing", "resizes", "counters", "strategy", "state",
		"hpt_order", "guest_stop",
	};
	char text[8192];
	int i, fd, err;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fd = open(vm_shown_path(vm, names[i]), O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		err = read(fd, text, sizeof(text)) < 0 ? errno : 0;
		close(fd);
		if (err)
			return -err;
	}
	return 0;
}

/* Whatever one of them has done is as it was, with memory for all it takes. */
static void undo(struct vm *vm)
{
	int i;

	for (i = ARRAY_SIZE(left_open) - 1; i >= 0; i--) {
		if (left_open[i] >= 0)
			close(left_open[i]);
		left_open[i] = -1;
	}
	vm->hcall = NULL;
	file_write(PROFILES, "-" NODE);
	vm_slot_set(vm, SLOT, GPA, 0);
	resize_prepare_once(&vm->vcpu[0], 0, 0);
	if (resize(&vm->vcpu[0], ORDER))
		die("the HPT has stayed as large as it was");
}

static const struct {
	const char *name;
	int (*run)(struct vm *vm);
	int (*before)(struct vm *vm);	/* with memory */
	/*
	 * Whose allocations fail; NULL: the module's. KVM_RUN is called by it, so with a guest
	 * these would be stock KVM's too.
	 */
	const char *function;
	enum vm_road road;		/* who asks for a resize */
} ops[] = {
	{ .name = "KVM_CREATE_VM", .run = op_create },
	{ .name = "KVM_CAP_PPC_HPT_RESIZE", .run = op_strategy },
	{ .name = "KVM_CAP_PPC_GUEST_STOP", .run = op_stop },
	{ .name = "KVM_CAP_PPC_HPT_MAX_PAGE_SHIFT", .run = op_limit, .before = before_limit },
	{ .name = "KVM_PPC_BALLOON_HOLD", .run = op_hold },
	{ .name = "KVM_PPC_BALLOON_NOTIFY", .run = op_notify },
	{ .name = "KVM_PPC_HV_EXT_STATE", .run = op_state },
	{ .name = "KVM_PPC_CHECK_MEMORY", .run = op_check_memory },
	{ .name = "KVM_SET_USER_MEMORY_REGION", .run = op_log },
	{ .name = "KVM_PPC_RESIZE_HPT_PREPARE", .run = op_prepare },
	{ .name = "KVM_PPC_RESIZE_HPT_COMMIT", .run = op_resize },
	{ .name = "H_RESIZE_HPT_PREPARE", .run = op_prepare,
	  .function = "hvx_resize_hcall", .road = ROAD_HCALL },
	{ .name = "H_RESIZE_HPT_COMMIT", .run = op_resize,
	  .function = "hvx_resize_hcall", .road = ROAD_HCALL },
	{ .name = "H_PAGE_INIT", .run = op_page_init, .before = before_page_init,
	  .function = "hvx_logging_hcall" },
	{ .name = "KVM_PPC_GET_HTAB_FD", .run = op_htab },
	{ .name = "the parameter profile", .run = op_profile },
	{ .name = "a node", .run = op_node, .before = op_profile },
	{ .name = "debugfs", .run = op_debugfs },
};

FIXTURE(load)
{
	struct module_away away;
	struct mem_use before;
	int nth;
	int kmsg;
};

FIXTURE_SETUP(load)
{
	unsigned long first, end;

	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0 || access(faults[0], F_OK))
		SKIP(return, "this kernel has no fault injection");
	if (!module_path() || !module_loaded())
		SKIP(return, "no kvm-hv-ext.ko to insert: set KVM_HV_EXT_KO");
	/* The function that calls a module's, when it is inserted: it has no text before. */
	ASSERT_TRUE(text_of("do_one_initcall", &first, &end));
	ASSERT_EQ(0, choose(first, end));
	self->kmsg = kmsg_open();
	ASSERT_EQ(0, module_take_out(&self->away));
	mem_use(&self->before);
}

FIXTURE_TEARDOWN(load)
{
	fail_nth(self->nth, 0);
	EXPECT_EQ(0, choose(0, ~0ul));
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
	EXPECT_TRUE(mem_returned(&self->before, 5000));
	EXPECT_EQ(0, module_put_back(&self->away));
	close(self->kmsg);
	close(self->nth);
}

/* The module is there afterwards, or nothing of it. */
TEST_F_TIMEOUT(load, each_allocation, 300)
{
	unsigned int n, refused = 0;
	bool failed = true;
	int ret;

	for (n = 1; failed && n < MOST; n++) {
		fail_nth(self->nth, n);
		ret = module_insert(module_path(), self->away.params);
		failed = has_failed(self->nth);
		fail_nth(self->nth, 0);
		EXPECT_TRUE(!ret || (failed && ret == -ENOMEM))
			TH_LOG("allocation %u: %d", n, ret);
		EXPECT_EQ(!ret, module_loaded());
		refused += !!ret;
		if (!ret)
			ASSERT_EQ(0, module_remove());
	}
	EXPECT_FALSE(failed);
	TH_LOG("%u allocations, %u of them needed", n - 2, refused);
	EXPECT_GT(refused, 5);
}

FIXTURE(faults)
{
	struct vm *vm;
	struct mem_use before;
	int nth;
	int kmsg;
};

FIXTURE_SETUP(faults)
{
	const char *why = vmm_lacks_ext(ROAD_IOCTL);

	if (why)
		SKIP(return, "%s", why);
	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0 || access(faults[0], F_OK))
		SKIP(return, "this kernel has no fault injection");
	self->kmsg = kmsg_open();
	/* The guest may ask itself; by default the VMM does. */
	self->vm = vm_create(.order = ORDER, .road = ROAD_HCALL);
	self->vm->road = ROAD_IOCTL;
	vm_slot_add(self->vm, SLOT, GPA, MIB, 0, 0);
}

FIXTURE_TEARDOWN(faults)
{
	fail_nth(self->nth, 0);
	EXPECT_EQ(0, choose(0, ~0ul));
	vm_destroy(self->vm);
	close(self->kmsg);
	close(self->nth);
}

static int run_op(struct vm *vm, unsigned int i, int nth, unsigned int n)
{
	int ret = ops[i].before ? ops[i].before(vm) : 0;

	if (ret)
		return ret;
	vm->road = ops[i].road;
	fail_nth(nth, n);
	ret = ops[i].run(vm);
	vm->road = ROAD_IOCTL;
	return ret;
}

TEST_F_TIMEOUT(faults, each_allocation, 300)
{
	unsigned int i, n, all = 0, refused;
	unsigned long first, end;
	bool failed;
	int ret;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		/* What the first time leaves behind is no leak. */
		ret = run_op(self->vm, i, self->nth, 0);
		undo(self->vm);
		EXPECT_EQ(0, ret) TH_LOG("%s, with memory", ops[i].name);
	}
	mem_use(&self->before);
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		/* To read kallsyms takes such a kernel half a minute. */
		if (!i || ops[i].function != ops[i - 1].function) {
			ASSERT_TRUE(text_of(ops[i].function, &first, &end));
			ASSERT_EQ(0, choose(first, end));
		}
		refused = 0;
		for (n = 1, failed = true; failed && n < MOST; n++) {
			ret = run_op(self->vm, i, self->nth, n);
			failed = has_failed(self->nth);
			fail_nth(self->nth, 0);
			undo(self->vm);
			EXPECT_GUEST_RUNS(&self->vm->vcpu[0]);
			refused += ret == -ENOMEM;
			EXPECT_TRUE(!ret || (failed && ret == -ENOMEM))
				TH_LOG("%s, allocation %u: %d", ops[i].name, n, ret);
		}
		EXPECT_FALSE(failed);
		TH_LOG("%s: %u allocations, %u of them needed", ops[i].name, n - 2,
		       refused);
		all += n - 2;
	}
	EXPECT_GT(all, 30);
	EXPECT_EQ(0, kmsg_complaints(self->kmsg));
	EXPECT_TRUE(mem_returned(&self->before, 5000));
}

TEST_HARNESS_MAIN
