// SPDX-License-Identifier: GPL-2.0
/*
 * Guest stop: whether a VM's guest may stop, and the stop that is emulated.
 *
 * With PSSCR[ESL] or PSSCR[EC] set a guest's stop traps to the hypervisor, and stock
 * KVM answers with a program interrupt. For a VM that has guest stop enabled the stop
 * is completed instead, as a wakeup that came at once. That is always right, for a
 * thread may leave stop at any time. The guest looks for work, finds none and stops
 * again; it takes an interrupt as soon as there is one.
 *
 * Where the CPU is good for it, stop does not trap (stop_cpu.c). The guest cannot
 * tell the two from each other except by the clock, so it can move between hosts.
 */
#include <linux/debugfs.h>
#include <linux/kvm_host.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <asm/hvcall.h>
#include <asm/reg.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "base/base.h"
#include "stop/stop.h"

#define HVX_STOP_MODES	(KVM_PPC_GUEST_STOP_EMULATED | KVM_PPC_GUEST_STOP_NATIVE)

/* In hvx_stop.modes, once a vCPU has run: no more changes. */
#define HVX_STOP_SEALED	BIT(8)
/* And once there may be guests of the guest: native no more. */
#define HVX_STOP_NESTED	BIT(9)

/* The interruption cause in the top byte of HFSCR that means stop. */
#define HVX_HFSCR_IC_SHIFT	56
#define HVX_HFSCR_IC_STOP	9

/* Each allows one mode more than the one before. */
static const char *const hvx_stop_names[] = { "off", "emulate", "native" };

static const char *hvx_stop_name(int modes)
{
	return hvx_stop_names[hweight32(modes)];
}

/* Whether a stop need not trap, with these modes and on this host. */
static bool hvx_stop_is_native(int modes)
{
	return modes & KVM_PPC_GUEST_STOP_NATIVE && !(modes & HVX_STOP_NESTED) &&
	       hvx_stop_cpu_native();
}

static int hvx_stop_default;

/**
 * hvx_stop_parse() - the modes that a word allows
 * @word: "off", "emulate" or "native"
 *
 * Return: a mask of KVM_PPC_GUEST_STOP_*, or -EINVAL.
 */
int hvx_stop_parse(const char *word)
{
	int mode = sysfs_match_string(hvx_stop_names, word);

	return mode < 0 ? mode : BIT(mode) - 1;
}

static int hvx_stop_default_set(const char *val, const struct kernel_param *kp)
{
	int modes = hvx_stop_parse(val);

	if (modes < 0)
		return modes;
	WRITE_ONCE(hvx_stop_default, modes);
	return 0;
}

static int hvx_stop_default_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n",
			  hvx_stop_name(READ_ONCE(hvx_stop_default)));
}

static const struct kernel_param_ops hvx_stop_default_ops = {
	.set = hvx_stop_default_set,
	.get = hvx_stop_default_get,
};

module_param_cb(guest_stop, &hvx_stop_default_ops, NULL, 0644);
MODULE_PARM_DESC(guest_stop,
		 "Guest stop of VMs made from now on, if their VMM does not ask: off (default), emulate, or native where the host can (else emulate)");

/**
 * hvx_stop_init() - give a new VM the default
 * @stop: zeroed
 */
void hvx_stop_init(struct hvx_stop *stop)
{
	int modes = READ_ONCE(hvx_stop_default);

	atomic_set(&stop->modes, hvx_stop_host_modes() ? modes : 0);
}

/**
 * hvx_stop_host_modes() - how a guest's stop can be completed on this host
 *
 * Context: any.
 * Return: a mask of KVM_PPC_GUEST_STOP_*, 0 if the CPU has no stop.
 */
long hvx_stop_host_modes(void)
{
	if (!cpu_has_feature(CPU_FTR_ARCH_300))
		return 0;
	return KVM_PPC_GUEST_STOP_EMULATED |
	       (hvx_stop_cpu_native() ? KVM_PPC_GUEST_STOP_NATIVE : 0);
}

/**
 * hvx_stop_enable() - KVM_ENABLE_CAP(KVM_CAP_PPC_GUEST_STOP)
 * @vm: the VM
 * @modes: the modes allowed, a mask of KVM_PPC_GUEST_STOP_*; 0 for off
 *
 * Native may be asked for on any host. Where the host is not good for it the stop is
 * emulated, so a guest can move between hosts. The modes in force may be asked for at
 * any time: QEMU does so at each reset and each loadvm.
 *
 * Context: any.
 * Return: 0, -EINVAL for a mask that is no choice or a CPU without stop, -EBUSY
 * for a change once a vCPU has run.
 */
long hvx_stop_enable(struct hvx_vm *vm, u64 modes)
{
	int old = atomic_read(&vm->stop->modes);

	if (modes & ~(u64)HVX_STOP_MODES || modes == KVM_PPC_GUEST_STOP_NATIVE ||
	    (modes && !hvx_stop_host_modes()))
		return -EINVAL;

	/* Pairs with the or in hvx_stop_seal(): one of the two comes first. */
	do {
		if ((old & HVX_STOP_MODES) == modes)
			return 0;
		if (old & HVX_STOP_SEALED)
			return -EBUSY;
	} while (!atomic_try_cmpxchg(&vm->stop->modes, &old,
				     modes | (old & HVX_STOP_NESTED)));
	return 0;
}

/**
 * hvx_stop_get() - what KVM_ENABLE_CAP(KVM_CAP_PPC_GUEST_STOP) would not change
 * @vm: the VM
 *
 * Context: any.
 * Return: the modes allowed, as asked for or by default, whether or not this host
 * can do them: a mask of KVM_PPC_GUEST_STOP_*, 0 for off.
 */
u32 hvx_stop_get(struct hvx_vm *vm)
{
	return atomic_read(&vm->stop->modes) & HVX_STOP_MODES;
}

/**
 * hvx_stop_seal() - allow no other modes from now on: a vCPU is about to run
 * @vm: the VM
 */
void hvx_stop_seal(struct hvx_vm *vm)
{
	if (!(atomic_read(&vm->stop->modes) & HVX_STOP_SEALED))
		atomic_or(HVX_STOP_SEALED, &vm->stop->modes);
}

/**
 * hvx_stop_vcpu_load() - have a vCPU's stop work, or trap, on this CPU
 * @vm: the VM, or NULL for one that is older than the module
 * @vcpu: a vCPU of it, being loaded
 *
 * Context: preemption disabled.
 */
void hvx_stop_vcpu_load(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	unsigned long flags;

	if (!vm || !hvx_stop_get(vm)) {
		hvx_stop_load_off();
		return;
	}
	/*
	 * hvx_stop_nested() sets its bit, then interrupts each CPU: here before
	 * the bit is looked at, or when what it has to change is there.
	 */
	local_irq_save(flags);
	hvx_stop_load(vcpu, hvx_stop_is_native(atomic_read(&vm->stop->modes)));
	local_irq_restore(flags);
}

/**
 * hvx_stop_nested() - the guest is about to be allowed guests of its own
 * @vm: the VM
 *
 * Those were not asked whether they may stop: theirs trap, and so do the guest's
 * own, as PSSCR is not exchanged between the two. vCPUs may be loaded, and need not
 * be loaded anew before they enter a guest of the guest.
 *
 * Context: may sleep. On return no vCPU of the VM stops natively any more; the
 * caller sets nested_enable after that.
 */
void hvx_stop_nested(struct hvx_vm *vm)
{
	int modes = atomic_fetch_or(HVX_STOP_NESTED, &vm->stop->modes);

	/*
	 * Not by HVX_STOP_NESTED: that may have been set by somebody who is still
	 * at it. nested_enable is never cleared, so a VMM can have this only once.
	 */
	if (modes & KVM_PPC_GUEST_STOP_NATIVE && hvx_stop_cpu_native() &&
	    !READ_ONCE(vm->kvm->arch.nested_enable))
		hvx_stop_trap_vm(vm->kvm);
}

/**
 * hvx_stop_hcall() - serve H_KVM_HV_EXT_FEATURES, if it is that
 * @vm: the VM
 * @vcpu: the vCPU, that came out with an hcall
 *
 * A VM that has nothing enabled is left with the answer of its VMM, which does
 * not know the hcall.
 *
 * Return: true if the vCPU may run on; false if the hcall is for user space.
 */
bool hvx_stop_hcall(struct hvx_vm *vm, struct kvm_vcpu *vcpu)
{
	if (kvmppc_get_gpr(vcpu, 3) != H_KVM_HV_EXT_FEATURES ||
	    !(atomic_read(&vm->stop->modes) & HVX_STOP_MODES))
		return false;

	kvmppc_set_gpr(vcpu, 4, H_KVM_HV_EXT_FEATURE_STOP);
	hvx_hcall_answer(vcpu, H_SUCCESS);
	return true;
}

/**
 * hvx_stop_emulate() - complete a stop that stock KVM wants to refuse
 * @vm: the VM
 * @vcpu: the vCPU, out of the guest, with an interrupt about to be injected
 * @vec: the interrupt
 *
 * The program interrupt for an instruction that stock KVM does not emulate, while
 * the exit is a Hypervisor Facility Unavailable one for stop, is that for a stop.
 *
 * With EC clear, as the guest has it, a thread wakes up behind the stop with
 * nothing changed but the status; then an interrupt that is pending and enabled
 * is taken, which is what stock KVM does on the way into the guest. The status is
 * the level that the thread was in: the lightest.
 *
 * Context: the vCPU's thread, inside KVM_RUN.
 * Return: true if it was one; the interrupt must not be injected.
 */
bool hvx_stop_emulate(struct hvx_vm *vm, struct kvm_vcpu *vcpu, int vec)
{
	if (vec != BOOK3S_INTERRUPT_PROGRAM ||
	    vcpu->arch.trap != BOOK3S_INTERRUPT_H_FAC_UNAVAIL ||
	    vcpu->arch.hfscr >> HVX_HFSCR_IC_SHIFT != HVX_HFSCR_IC_STOP ||
	    vcpu->arch.shregs.msr & MSR_PR || vcpu->arch.nested ||
	    !(atomic_read(&vm->stop->modes) & HVX_STOP_MODES))
		return false;

	vcpu->arch.regs.nip += sizeof(u32);
	vcpu->arch.psscr &= ~PSSCR_PLS;
	hvx_stop_keep_dec(vcpu);
	atomic64_inc(&vm->stop->emulated);
	return true;
}

static int guest_stop_show(struct seq_file *m, void *unused)
{
	struct hvx_vm *vm = m->private;
	int modes = atomic_read(&vm->stop->modes);

	if (!hvx_stop_is_native(modes))
		modes &= ~KVM_PPC_GUEST_STOP_NATIVE;
	modes &= HVX_STOP_MODES;
	seq_printf(m, "mode %s\n", hvx_stop_name(modes));
	seq_printf(m, "emulated %lld\n", atomic64_read(&vm->stop->emulated));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(guest_stop);

/**
 * hvx_stop_debugfs() - make the file guest_stop of a VM
 * @vm: the VM
 * @dir: where
 *
 * It has the way in force here, and how many stops were emulated.
 */
void hvx_stop_debugfs(struct hvx_vm *vm, struct dentry *dir)
{
	debugfs_create_file("guest_stop", 0444, dir, vm, &guest_stop_fops);
}
