// SPDX-License-Identifier: GPL-2.0
/*
 * Guest stop: which CPUs are good for it, and PSSCR while a vCPU is loaded.
 *
 * PSSCR[ESL] and PSSCR[EC] are the hypervisor's. Clear, a guest's stop stops the
 * thread until the next interrupt, its own or one of the hypervisor's, which are
 * always enabled while a guest runs. Set, a guest's stop traps. Nobody sets them
 * for guests in stock KVM: they are what the host's last idle state left, except
 * where KVM works around a POWER9 erratum and writes PSSCR itself, with EC set.
 *
 * The host's idle code runs only with no vCPU loaded, and KVM's entry and exit
 * only touch the fields that a guest can see. So it is enough to set PSSCR when a
 * vCPU is loaded, and to put back what was there when the vCPU is put.
 *
 * A guest that really stops is a danger to most kernels. When a system reset or a
 * machine check meets it, SRR1[46:47] says that the thread wakes up from power
 * saving and nothing is lost. The kernel's handlers ask that before they ask whether
 * a guest was running, take it for the end of the host's own stop, and return to
 * where LR points: the guest's LR, as code of the hypervisor in real mode. That is
 * why native stop takes a kernel that asks the other way round. Such a kernel cannot
 * be told by its code: the handlers are spread over the vectors and code behind
 * labels that modules cannot look up, and each release has them differently. So it
 * has to say so itself (kvm-hv/patches/0002).
 */
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/cputable.h>
#include <asm/reg.h>

#include "stop/stop.h"

/* From the PVR: a processor's version and, in its low 12 bits, revision. */
#define HVX_PVR_REV(pvr)	((pvr) & 0xfff)

#define HVX_PVR_POWER9		0x004e
#define HVX_PVR_POWER10		0x0080
#define HVX_PVR_POWER11		0x0082

enum hvx_stop_errata {
	HVX_STOP_ERRATA,
	HVX_STOP_ASK_FIRMWARE,	/* good if it has the feature idle-stop-guest */
	HVX_STOP_NO_ERRATA,
};

/* The first row that has the version, and a revision not above, counts. */
static const struct hvx_stop_cpu {
	u16 version;
	u16 revision;
	enum hvx_stop_errata errata;
} hvx_stop_cpus[] = {
	/*
	 * Up to DD2.2 a thread that stops with HV = 0 may miss a wakeup; from
	 * DD2.3 on firmware is to publish that it does not: G. R. Shenoy, RFC on
	 * guest stop, kvm-ppc list, April 2020.
	 */
	{ HVX_PVR_POWER9, 0x203, HVX_STOP_ASK_FIRMWARE },
	{ HVX_PVR_POWER9, 0x000, HVX_STOP_ERRATA },
	/*
	 * Power ISA v3.1 has guest stop as v3.0B has it, and no erratum is known.
	 */
	{ HVX_PVR_POWER10, 0x000, HVX_STOP_NO_ERRATA },
	{ HVX_PVR_POWER11, 0x000, HVX_STOP_NO_ERRATA },
};

static const char *const hvx_stop_native_names[] = { "auto", "yes", "no" };
static enum { HVX_NATIVE_AUTO, HVX_NATIVE_YES, HVX_NATIVE_NO } hvx_native_override;

static int hvx_native_set(const char *val, const struct kernel_param *kp)
{
	int override = sysfs_match_string(hvx_stop_native_names, val);

	if (override < 0)
		return override;
	hvx_native_override = override;
	return 0;
}

static int hvx_native_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n",
			  hvx_stop_native_names[hvx_native_override]);
}

static const struct kernel_param_ops hvx_native_ops = {
	.set = hvx_native_set,
	.get = hvx_native_get,
};

module_param_cb(guest_stop_native, &hvx_native_ops, NULL, 0444);
MODULE_PARM_DESC(guest_stop_native,
		 "Whether guests may really stop: auto (default, if the CPU is good for it and the kernel protects itself), no, or yes: then, on a kernel that does not, a guest can take over the host when a system reset or machine check meets it");

static bool hvx_off_traps = true;
module_param_named(guest_stop_off_traps, hvx_off_traps, bool, 0644);
MODULE_PARM_DESC(guest_stop_off_traps,
		 "Have a stop trap in VMs without guest stop (default Y); N leaves it to the host's last idle state whether it does, as stock KVM, with the danger of guest_stop_native=yes");

static bool hvx_native __ro_after_init;

static bool __init hvx_stop_kernel_is_safe(void)
{
	const bool *said = symbol_get(kvmppc_nmi_asks_guest_first);
	bool safe = said && *said;

	if (said)
		symbol_put(kvmppc_nmi_asks_guest_first);
	return safe;
}

static bool __init hvx_stop_feature_published(void)
{
	struct device_node *features, *stop = NULL;

	features = of_find_compatible_node(NULL, NULL,
					   "ibm,powerpc-cpu-features");
	if (features)
		stop = of_get_child_by_name(features, "idle-stop-guest");
	of_node_put(stop);
	of_node_put(features);
	return stop;
}

static bool __init hvx_stop_cpu_good(u32 pvr)
{
	const struct hvx_stop_cpu *cpu = hvx_stop_cpus;
	const struct hvx_stop_cpu *end = cpu + ARRAY_SIZE(hvx_stop_cpus);

	for (; cpu < end; cpu++) {
		if (PVR_VER(pvr) != cpu->version ||
		    HVX_PVR_REV(pvr) < cpu->revision)
			continue;
		if (cpu->errata == HVX_STOP_ASK_FIRMWARE)
			return hvx_stop_feature_published();
		return cpu->errata == HVX_STOP_NO_ERRATA;
	}
	/* A CPU that is not known yet: its firmware's word is enough. */
	return hvx_stop_feature_published();
}

/* Whether KVM's entry leaves PSSCR alone. Else it sets EC, and stop always traps. */
static bool hvx_stop_psscr_is_ours(void)
{
	return cpu_has_feature(CPU_FTR_ARCH_300) &&
	       !cpu_has_feature(CPU_FTR_P9_TM_HV_ASSIST);
}

/**
 * hvx_stop_cpu_init() - find out whether guests may really stop here
 */
void __init hvx_stop_cpu_init(void)
{
	bool safe = hvx_stop_kernel_is_safe();

	if (!hvx_stop_psscr_is_ours() || hvx_native_override == HVX_NATIVE_NO)
		return;
	if (hvx_native_override == HVX_NATIVE_AUTO) {
		hvx_native = safe && hvx_stop_cpu_good(mfspr(SPRN_PVR));
		return;
	}
	hvx_native = true;
	if (!safe)
		pr_warn("guest_stop_native=yes: with this kernel a guest that stops can take over the host when a system reset or machine check meets it\n");
}

/**
 * hvx_stop_cpu_native() - whether guests may really stop here
 *
 * Return: true if so; if not, a guest's stop has to trap.
 */
bool hvx_stop_cpu_native(void)
{
	return hvx_native;
}

/* What of PSSCR the hypervisor decides for a guest; what has a stop trap. */
#define HVX_PSSCR_CONTROL	(PSSCR_SD | PSSCR_ESL | PSSCR_EC | PSSCR_PSLL_MASK)
#define HVX_PSSCR_TRAP		(PSSCR_ESL | PSSCR_EC)

/*
 * The vCPU that is loaded on a CPU and may stop; PSSCR as it was before; and its
 * decrementer, in ticks of the timebase as vcpu->arch.dec_expires: when the guest
 * wants it, what KVM was told, and by how much KVM is late at least.
 */
struct hvx_stop_loaded {
	struct kvm_vcpu *vcpu;
	u64 control;
	u64 dec_due;
	u64 dec_set;
	u64 dec_lag;
};

/* In ticks: more than an entry takes, less than a guest's timer is set for. */
#define HVX_DEC_SLACK	1024
/* How fast a lag that is too small grows, with each stop. */
#define HVX_DEC_STEP	16

static DEFINE_PER_CPU(struct hvx_stop_loaded, hvx_stop_loaded);

static void hvx_psscr_set(u64 control)
{
	u64 old = mfspr(SPRN_PSSCR);
	u64 psscr = (old & ~(u64)HVX_PSSCR_CONTROL) | control;

	if (psscr != old)
		mtspr(SPRN_PSSCR, psscr);
}

/**
 * hvx_stop_load() - set PSSCR for a vCPU that may stop
 * @vcpu: the vCPU, being loaded
 * @native: really stop, else trap
 *
 * Either way no deeper level than the lightest, PSLL = 0. When stop traps, the
 * guest sees the status of its own emulated stops, none, not that of the host's
 * idle states.
 *
 * Context: interrupts disabled, against hvx_stop_trap_vm(); preemption until
 * hvx_stop_put().
 */
void hvx_stop_load(struct kvm_vcpu *vcpu, bool native)
{
	struct hvx_stop_loaded *here = this_cpu_ptr(&hvx_stop_loaded);

	here->vcpu = vcpu;
	here->dec_due = vcpu->arch.dec_expires;
	here->dec_set = here->dec_due;
	here->dec_lag = 0;
	here->control = mfspr(SPRN_PSSCR) & HVX_PSSCR_CONTROL;
	hvx_psscr_set(native ? 0 : PSSCR_SD | HVX_PSSCR_TRAP);
}

/**
 * hvx_stop_load_off() - have a stop trap for a vCPU whose guest may not stop
 *
 * What is set stays so until the host stops by itself, which sets all of PSSCR.
 *
 * Context: preemption disabled.
 */
void hvx_stop_load_off(void)
{
	u64 psscr;

	if (!hvx_stop_psscr_is_ours() || !READ_ONCE(hvx_off_traps))
		return;
	psscr = mfspr(SPRN_PSSCR);
	if (!(psscr & HVX_PSSCR_TRAP))
		mtspr(SPRN_PSSCR, psscr | HVX_PSSCR_TRAP);
}

static void hvx_stop_trap_here(void *kvm)
{
	struct hvx_stop_loaded *here = this_cpu_ptr(&hvx_stop_loaded);

	if (here->vcpu && here->vcpu->kvm == kvm)
		hvx_psscr_set(PSSCR_SD | HVX_PSSCR_TRAP);
}

/**
 * hvx_stop_trap_vm() - have the stops of loaded vCPUs trap from now on
 * @kvm: their VM, in which vCPUs that are loaded after this get no native stop
 *
 * The interrupt takes a vCPU out of the guest, so its next entry is with PSSCR as
 * set by then.
 *
 * Context: may sleep. Returns when it is done on all CPUs.
 */
void hvx_stop_trap_vm(struct kvm *kvm)
{
	on_each_cpu(hvx_stop_trap_here, kvm, 1);
}

/**
 * hvx_stop_keep_dec() - keep a vCPU's decrementer from becoming due ever later
 * @vcpu: the vCPU, loaded, whose stop is being emulated
 *
 * KVM's entry loads DEC by a timebase that it has read some time before, and the
 * exit takes what is left in DEC for what the guest wants. So with each round trip
 * the decrementer is due that much later, and a guest that idles by emulated stops
 * makes thousands: it would sleep a good part longer than it asked for. Here the
 * lag is taken out again, and then kept out from the start, by telling KVM to be
 * earlier by the smallest lag seen.
 *
 * A guest that sets DEC anew, but less than HVX_DEC_SLACK later than before, cannot
 * be told from a lag. It gets the interrupt by so much too early.
 *
 * Context: any, by the vCPU's thread.
 */
void hvx_stop_keep_dec(struct kvm_vcpu *vcpu)
{
	struct hvx_stop_loaded *here = get_cpu_ptr(&hvx_stop_loaded);
	u64 lag = vcpu->arch.dec_expires - here->dec_set;

	if (here->vcpu == vcpu) {
		if (lag < HVX_DEC_SLACK)
			here->dec_lag = min(lag, here->dec_lag + HVX_DEC_STEP);
		else
			here->dec_due = vcpu->arch.dec_expires;
		here->dec_set = here->dec_due - here->dec_lag;
		vcpu->arch.dec_expires = here->dec_set;
	}
	put_cpu_ptr(&hvx_stop_loaded);
}

/**
 * hvx_stop_put() - give the host its PSSCR back
 * @vcpu: a vCPU that is being put, set for or not
 *
 * Context: preemption disabled, on the CPU the vCPU was loaded on.
 */
void hvx_stop_put(struct kvm_vcpu *vcpu)
{
	struct hvx_stop_loaded *here = this_cpu_ptr(&hvx_stop_loaded);

	if (here->vcpu != vcpu)
		return;
	/* Not entered since: nobody else is to see what was meant for KVM's entry. */
	if (vcpu->arch.dec_expires == here->dec_set)
		vcpu->arch.dec_expires = here->dec_due;
	/* First, so that hvx_stop_trap_here() does not meddle with the host's. */
	WRITE_ONCE(here->vcpu, NULL);
	hvx_psscr_set(here->control);
}
