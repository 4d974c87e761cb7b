// SPDX-License-Identifier: GPL-2.0
/* Guests that change their HPT without rest, for tests that disturb them. */
#include <sched.h>

#include "busy.h"
#include "guest.h"
#include "hpt.h"

#define BUSY_GROUPS	2048	/* in the smallest HPT there is */

static volatile u64 busy_over;
static volatile bool busy_going[VM_MAX_VCPUS];

/*
 * The order of the HPT may change at any time, so this goes by index alone and
 * takes whatever status comes. The VRMA's entries are in slot 7: spared.
 */
static void guest_busy(u64 seed, u64 vcpu)
{
	while (!busy_over) {
		u64 r = guest_random(&seed);
		u64 index = (r % BUSY_GROUPS) * HPTES_PER_GROUP + (r >> 20) % 7;
		struct page page = {
			.vsid = 0x1000 + vcpu,
			.offset = (r >> 24 & 0xffff) << 12,
			.gpa = GUEST_DATA + ((r >> 40) % 128 << 16),
			.prot = HPTE_R_RW,
			.base_shift = 12,
			.shift = 12,
			.bolted = !(r >> 60),
		};

		guest_hcall4(H_ENTER, H_EXACT, index, page_v(&page),
			     page_r(&page));
		guest_hcall4(H_PROTECT, r & HPTE_R_PP, index ^ 8, 0, 0);
		guest_hcall4(H_REMOVE, 0, index ^ 16, 0, 0);
		busy_going[vcpu] = true;
	}
}

/**
 * busy_start() - set all vCPUs of a VM to work
 * @vm: the VM, its vCPUs idle
 * @seed: of their choices
 *
 * They enter, protect and remove entries of every slot but the last of a
 * group, and nothing can be said of what the HPT holds afterwards. All are at it
 * on return, and do not leave KVM until busy_stop(), but when KVM_RUN is interrupted.
 */
void busy_start(struct vm *vm, u64 seed)
{
	volatile bool *going = *vm_guest(vm, busy_going);
	unsigned int i;

	*vm_guest(vm, busy_over) = 0;
	for (i = 0; i < vm->nr_vcpus; i++) {
		going[i] = false;
		vcpu_start(&vm->vcpu[i], guest_busy, seed + i + 1, i);
	}
	for (i = 0; i < vm->nr_vcpus; i++)
		while (!going[i])
			sched_yield();
}

/**
 * busy_stop() - stop them again
 * @vm: the VM
 */
void busy_stop(struct vm *vm)
{
	unsigned int i;

	*vm_guest(vm, busy_over) = 1;
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_join(&vm->vcpu[i]);
}
