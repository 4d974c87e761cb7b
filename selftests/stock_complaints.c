// SPDX-License-Identifier: GPL-2.0
/*
 * What a kernel for debugging says of stock KVM, without kvm-hv-ext: nothing, or once a boot
 * what is named here, function by function. lab/check-host runs this first on such a kernel,
 * which is then silent about the same place, so that any later complaint is a fault.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "guest.h"
#include "host.h"
#include "hpt.h"
#include "vmm.h"

#define GPA		(256 * MIB)
#define SLOT		1

static char text[65536];

/* What the kernel has logged since, a record after the other. */
static void read_log(int fd)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n > 0)
			len += n;
	} while (n > 0);
	text[len] = 0;
}

/* The number of reports there, -1 if one is not of these functions, or too long. */
static int reports(const char * const *functions, size_t nr)
{
	const char *at = text;
	int found = 0;
	size_t i;

	if (strlen(text) == sizeof(text) - 1 || strstr(text, "kvm_hv_ext") ||
	    strstr(text, "BUG:"))
		return -1;
	while ((at = strstr(at, "WARNING: "))) {
		found++;
		at++;
	}
	for (i = 0; found && i < nr; i++)
		if (!strstr(text, functions[i]))
			return -1;
	return found;
}

/* kvm_clear_guest() without SRCU: of whoever changes memslots meanwhile it knows nothing. */
TEST(page_init_without_srcu)
{
	static const char * const functions[] = {
		"suspicious RCU usage", " gfn_to_memslot+", " kvm_clear_guest+",
		" kvmppc_pseries_do_hcall+",
	};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_PPC_ENABLE_HCALL,
		.args = { H_PAGE_INIT, 1 },
	};
	const char *why = vmm_lacks(ROAD_IOCTL);
	struct vm *vm;
	int kmsg, nr;

	if (why)
		SKIP(return, "%s", why);
	if (module_loaded())
		SKIP(return, "kvm-hv-ext is loaded");
	kmsg = kmsg_open();
	vm = vm_create(.order = HPT_MIN_ORDER);
	if (!vm_has_ext(vm, KVM_CAP_PPC_MMU_HASH_V3)) {
		vm_destroy(vm);
		SKIP(return, "it is served in real mode here");
	}
	ASSERT_EQ(0, vm_ioctl(vm, KVM_ENABLE_CAP, &cap));
	vm_slot_add(vm, SLOT, GPA, MIB, 0, 0);
	EXPECT_EQ(H_SUCCESS, vcpu_hcall2(&vm->vcpu[0], H_PAGE_INIT, H_ZERO_PAGE, GPA));
	vm_destroy(vm);
	read_log(kmsg);
	nr = reports(functions, ARRAY_SIZE(functions));
	EXPECT_TRUE(!nr || nr == 1) TH_LOG("%s", text);
	close(kmsg);
}

TEST_HARNESS_MAIN
