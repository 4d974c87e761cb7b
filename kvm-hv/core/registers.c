// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the thread that runs a vCPU. While it is in KVM_RUN the CPU's are the
 * guest's, and when it is back in user space they must be its own. Stock KVM HV has
 * holes there, seen with 6.1 to 7.3, through which a guest chooses what its VMM has.
 */
#include <linux/sched.h>
#include <asm/cputable.h>
#include <asm/reg.h>
#include <asm/switch_to.h>

#include "core/ops.h"

/*
 * FP, VMX and VSX. Stock vcpu_run() puts the thread's away as well, in
 * kvmppc_save_user_regs(). But load_fp and load_vec go on saying that the thread has used
 * them lately. If it is scheduled away before the end of KVM_RUN, __switch_to() loads them
 * again and marks them live (restore_math()), KVM loads the guest's on top, and nobody loads
 * the thread's once more.
 *
 * With both at 0 the thread gets them when it uses them, in user space. To set them is not
 * enough: stock looks whether the registers are live, and saves them afterwards. A thread
 * that is preempted in between has them saved then. When it comes back it has those of
 * another thread in the CPU, of another process perhaps, which stock would save as its own.
 * So there must be nothing left for stock to save. The counts come first: what is live again
 * after a preemption up to here is seen by the flush, which keeps preemption off.
 */
static void hvx_registers_put_math_away(void)
{
	current->thread.load_fp = 0;
	flush_fp_to_thread(current);
#ifdef CONFIG_ALTIVEC
	current->thread.load_vec = 0;
	flush_altivec_to_thread(current);
#endif
}

/*
 * On a POWER8 stock KVM leaves these with what the guest has in them. Since POWER9 it puts
 * them back itself.
 */
static void hvx_registers_save_power8(struct hvx_registers *regs)
{
	regs->vrsave = mfspr(SPRN_VRSAVE);
	regs->ebbhr = mfspr(SPRN_EBBHR);
	regs->ebbrr = mfspr(SPRN_EBBRR);
	regs->bescr = mfspr(SPRN_BESCR);
	regs->tar = mfspr(SPRN_TAR);
}

static void hvx_registers_restore_power8(const struct hvx_registers *regs)
{
	mtspr(SPRN_VRSAVE, regs->vrsave);
	mtspr(SPRN_EBBHR, regs->ebbhr);
	mtspr(SPRN_EBBRR, regs->ebbrr);
	mtspr(SPRN_BESCR, regs->bescr);
	mtspr(SPRN_TAR, regs->tar);
}

static bool hvx_is_power8(void)
{
	return cpu_has_feature(CPU_FTR_ARCH_207S) && !cpu_has_feature(CPU_FTR_ARCH_300);
}

/**
 * hvx_registers_put_away() - before stock vcpu_run()
 * @regs: to be filled, for hvx_registers_give_back()
 *
 * Context: the thread that runs a vCPU; may be preempted.
 */
void hvx_registers_put_away(struct hvx_registers *regs)
{
	hvx_registers_put_math_away();
	if (hvx_is_power8())
		hvx_registers_save_power8(regs);
}

/**
 * hvx_registers_give_back() - after it
 * @regs: as they were before
 *
 * If the thread was scheduled away meanwhile, its thread_struct has the guest's. A thread
 * that it creates would get them from there, so they are brought up to date at once.
 *
 * Context: as hvx_registers_put_away().
 */
void hvx_registers_give_back(const struct hvx_registers *regs)
{
	if (!hvx_is_power8())
		return;
	hvx_registers_restore_power8(regs);
	kvmppc_save_current_sprs();
}
