// SPDX-License-Identifier: GPL-2.0
/*
 * The moment of COMMIT.
 *
 * No CPU may use the HPT while the hypervisor exchanges it, hence
 * stop_machine(): all other online CPUs spin in the core kernel with interrupts
 * off. Once H_RESIZE_HPT_COMMIT has succeeded the new table is in force, and a
 * hypervisor need have carried over no more than the bolted entries.
 *
 * That matters to the code right here. The core kernel's text, data and kernel
 * stacks are in the linear mapping, which is bolted. A module is not: its text
 * and data are in vmalloc space, whose entries are made by the hash fault
 * handler when they are missed. So the very next instruction after the hcall,
 * and any access to the module's data (its TOC, a jump stub), may miss. The
 * fault itself is harmless: the handler and all that it touches are bolted, it
 * works with interrupts off, and it finds the page in init_mm. But it places
 * the new entry by htab_hash_mask:
 *
 *  - With the mask of the old, smaller table, the entry lands where the
 *    hardware does not look, and the access faults again, for ever.
 *  - With the mask of the old, bigger table, the handler names slots beyond the
 *    end of the new one; H_PROTECT answers H_PARAMETER, which is a BUG().
 *
 * Hence the mask has to be right by the time the first instruction after the
 * hcall is fetched, and so it is written *before* the hcall. Until the switch
 * it is then wrong for the table still in force, and nothing may miss in that
 * time. Nothing does:
 *
 *  - The store, the hcall and the store that takes the mask back if the hcall
 *    failed lie in one aligned block of 32 bytes, thus in one page. It is
 *    being executed, so it is present; nobody can evict it, since evicting is
 *    what CPUs do when they enter other pages, the others are stopped and this
 *    one makes no entry.
 *  - All that the block needs is in registers that an hcall preserves; the only
 *    memory it touches is htab_hash_mask, in the kernel's bolted data.
 *  - The hcall is made in line. plpar_hcall_norets() would be reached through a
 *    stub of the module, and may run whatever is attached to its tracepoints.
 *
 * If the hcall fails, the old table is in force and unchanged, the block is
 * still present in it, and the mask is put back before anything else runs.
 */
#include <linux/compiler.h>
#include <linux/stop_machine.h>
#include <asm/book3s/64/mmu-hash.h>
#include <asm/hvcall.h>
#include <asm/ptrace.h>

#include "pseries-hpt.h"

struct hpt_switch {
	unsigned int order;
	long rc;
};

/*
 * H_RESIZE_HPT_COMMIT(0, order) with htab_hash_mask following the outcome, see
 * above. Called with all other CPUs stopped and interrupts off.
 */
static noinline notrace long commit(unsigned long order, unsigned long new_mask)
{
	register unsigned long r3 asm("r3") = H_RESIZE_HPT_COMMIT;
	register unsigned long r4 asm("r4") = 0;
	register unsigned long r5 asm("r5") = order;
	unsigned long old_mask = htab_hash_mask;

	asm volatile("	.balign	32\n"
		     "	std	%[new], 0(%[mask])\n"
		     "	sc	1\n"
		     "	cmpdi	3, 0\n"
		     "	beq	1f\n"
		     "	std	%[old], 0(%[mask])\n"
		     "1:\n"
		     : "+r" (r3), "+r" (r4), "+r" (r5)
		     : [new] "r" (new_mask), [old] "r" (old_mask),
		       [mask] "b" (&htab_hash_mask)
		     : "r0", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "ctr",
		       "xer", "cr0", "cr1", "cr2", "cr3", "cr4", "cr5", "cr6",
		       "cr7", "memory");

	/* An hcall leaves nothing useful in SRR0 and SRR1. */
	set_return_regs_changed();

	return r3;
}

static int switch_stopped(void *data)
{
	struct hpt_switch *sw = data;
	unsigned long bytes = 1UL << sw->order;

	sw->rc = commit(sw->order, bytes / (HPTES_PER_GROUP * 16) - 1);
	if (sw->rc == H_SUCCESS) {
		*hpt_globals.pft_size = sw->order;
		*hpt_globals.size_bytes = bytes;
	}

	return 0;
}

/**
 * hpt_switch() - exchange the HPT for the one that the hypervisor has prepared
 * @order: log2 of the size in bytes of the prepared HPT
 *
 * On success the kernel's variables have followed. On any failure the old HPT
 * is in force and nothing has changed.
 *
 * CPUs that come and go are stop_machine()'s business: it holds them off
 * meanwhile, and nothing here depends on which are there.
 *
 * Context: process context, may sleep; not under cpus_read_lock().
 * Return: the hypervisor's answer to H_RESIZE_HPT_COMMIT.
 */
long hpt_switch(unsigned int order)
{
	struct hpt_switch sw = { .order = order };
	int ret;

	ret = stop_machine(switch_stopped, &sw, NULL);

	return ret ? H_HARDWARE : sw.rc;
}
