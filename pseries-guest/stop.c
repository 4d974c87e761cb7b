// SPDX-License-Identifier: GPL-2.0
/*
 * pseries-stop: idle with the stop instruction.
 *
 * snooze wakes up at once but keeps the hardware thread busy; CEDE gives it away
 * but takes the hypervisor tens of microseconds to come back from. Between them
 * fits stop at its lightest level, which the guest may execute where the
 * hypervisor says so (H_KVM_HV_EXT_FEATURES). If the hypervisor only emulates it,
 * it is a wakeup at once: the loop then polls by trapping, for no longer than
 * snooze would, and is still far nearer than CEDE.
 *
 * The kernel's own cpuidle driver cannot be added to while it is in use, so it is
 * replaced by one that has its states, and the new one among them. It comes back
 * when this module goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuidle.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/version.h>

#include <asm/cputable.h>
#include <asm/firmware.h>
#include <asm/hvcall.h>
#include <asm/hw_irq.h>
#include <asm/paca.h>
#include <asm/ppc-opcode.h>
#include <asm/reg.h>
#include <asm/time.h>

#include <uapi/linux/kvm_hv_ext.h>

#include "stop_loop.h"
#include "version.h"

/*
 * While RCU does not watch, there should be no fault: it would be handled, but may be
 * traced. The kernel's linear mapping is bolted in the hash page table, so there are none;
 * a module's own text and data are not. So what cpuidle reads at that time is allocated,
 * and what it runs is the kernel's own, as far as possible.
 */
static struct cpuidle_driver *stop_driver;

static struct cpuidle_driver *stop_stock;
static int stop_index;		/* of the new state */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define rcu_momentary_eqs	rcu_momentary_dyntick_idle
#endif

/*
 * The decrementer comes within a tick, whatever ends the stop otherwise: as RCU watches, a
 * grace period waits until this CPU comes by here again. Returns when it was due before, or
 * 0 if that is sooner.
 */
static u64 stop_tick_begin(void)
{
	u64 next = timer_get_next_tb();
	u64 ticks = tb_ticks_per_sec / HZ;

	if (next <= get_tb() + ticks)
		return 0;

	set_dec(ticks);
	return next;
}

/*
 * RCU watches, by CPUIDLE_FLAG_RCU_IDLE: this text may fault. So the CPU has to say that the
 * idle task holds nothing of RCU's, as nobody sees from outside that it is idle.
 */
static int stop_enter(struct cpuidle_device *dev, struct cpuidle_driver *drv,
		      int index)
{
	unsigned long purr = mfspr(SPRN_PURR);
	struct lppaca *lppaca = local_paca->lppaca_ptr;
	u64 next;

	rcu_momentary_eqs();
	next = stop_tick_begin();
	/* For other CPUs, which prefer to wake tasks on one that idles. */
	lppaca->idle = 1;
	stop_stay(dev, drv, index);
	lppaca->idle = 0;
	stop_dec_end(next);

	/* What user space knows as idle time of the partition. */
	purr = mfspr(SPRN_PURR) - purr;
	lppaca->wait_state_cycles =
		cpu_to_be64(be64_to_cpu(lppaca->wait_state_cycles) + purr);
	return index;
}

static const struct cpuidle_state stop_state = {
	.name = "stop0lite",
	.desc = "stop, lightest level",
	.exit_latency = STOP_EXIT_LATENCY,
	.target_residency = STOP_TARGET_RESIDENCY,
	.flags = CPUIDLE_FLAG_RCU_IDLE,
	.enter = stop_enter,
};

/*
 * The kernel's own CEDE is entered directly, as module text around it would run while RCU
 * does not watch. It has another index here. "CEDE", of guests that have their processors for
 * themselves, looks up a latency by it, in an array that ends before that. KVM's guests have
 * "Shared Cede", which does not look at it.
 */
static bool stop_minds_index(const struct cpuidle_driver *drv)
{
	int i;

	for (i = 0; i < drv->state_count; i++) {
		if (drv->states[i].exit_latency > STOP_EXIT_LATENCY &&
		    strcmp(drv->states[i].name, "Shared Cede"))
			return true;
	}
	return false;
}

/* The kernel's states, with the new one at its place in the order of latency. */
static int stop_make_states(void)
{
	int i, count = stop_stock->state_count;
	struct cpuidle_state *states;

	if (count >= CPUIDLE_STATE_MAX)
		return -ENOSPC;

	/*
	 * No owner: each CPU's device would hold the module, which could never be
	 * removed. Removing it waits until no CPU is in one of its states.
	 */
	stop_driver = kzalloc(sizeof(*stop_driver), GFP_KERNEL);
	if (!stop_driver)
		return -ENOMEM;
	stop_driver->name = "pseries_stop";

	states = stop_driver->states;
	for (i = 0; i < count; i++) {
		if (stop_stock->states[i].exit_latency > STOP_EXIT_LATENCY)
			break;
		states[i] = stop_stock->states[i];
	}
	stop_index = i;
	states[i] = stop_state;
	for (; i < count; i++)
		states[i + 1] = stop_stock->states[i];
	stop_driver->state_count = count + 1;

	/* Until the next state would have been the better choice. */
	i = stop_index < count ? states[stop_index + 1].target_residency :
				 10 * STOP_TARGET_RESIDENCY;
	stop_limit = (i + STOP_EXIT_LATENCY + STOP_SLACK) * tb_ticks_per_usec;
	return 0;
}

/* Replaces a driver, if there is one, by another, with no CPU coming or going. */
static int stop_replace(struct cpuidle_driver *old, struct cpuidle_driver *new)
{
	int ret;

	cpus_read_lock();
	if (old)
		cpuidle_unregister(old);
	ret = cpuidle_register(new, NULL);
	cpus_read_unlock();
	return ret;
}

/* The kernel's own again. Ours must not stay, whatever happens: it goes with us. */
static void stop_restore(struct cpuidle_driver *old)
{
	if (stop_replace(old, stop_stock))
		pr_err("no cpuidle driver any more: CPUs idle by CEDE only\n");
}

static int stop_nothing(void *unused)
{
	return 0;
}

/*
 * After the driver has gone: wait until no CPU is in one of its states any more. To
 * unregister the driver only wakes the CPUs. RCU does not wait for a CPU that idles, but
 * the hypervisor may be holding that CPU right behind its stop, in our code. So have each
 * CPU run its stopper thread, which it can do when the idle task has come out.
 */
static void stop_leave(void)
{
	stop_machine(stop_nothing, NULL, cpu_online_mask);
}

/* The number of the hcall that asks is one of those left to vendors: only KVM's is ours. */
static bool __init stop_is_kvm(void)
{
	struct device_node *hypervisor = of_find_node_by_path("/hypervisor");
	bool kvm = of_device_is_compatible(hypervisor, "linux,kvm");

	of_node_put(hypervisor);
	return kvm;
}

static bool __init stop_allowed(void)
{
	unsigned long ret[PLPAR_HCALL_BUFSIZE] = { 0 };

	return plpar_hcall(H_KVM_HV_EXT_FEATURES, ret) == H_SUCCESS &&
	       ret[0] & H_KVM_HV_EXT_FEATURE_STOP;
}

static int __init stop_init(void)
{
	int ret;

	if (!firmware_has_feature(FW_FEATURE_LPAR)) {
		pr_err("not loaded: this is not a guest of a PAPR hypervisor\n");
		return -ENODEV;
	}
	if (!cpu_has_feature(CPU_FTR_ARCH_300)) {
		pr_err("not loaded: this CPU has no stop instruction\n");
		return -ENODEV;
	}
	if (!stop_is_kvm() || !stop_allowed()) {
		pr_err("not loaded: the hypervisor does not let this guest stop\n");
		return -ENODEV;
	}
	stop_stock = cpuidle_get_driver();
	if (!stop_stock || strcmp(stop_stock->name, "pseries_idle")) {
		pr_err("not loaded: the kernel does not use its cpuidle driver for pseries\n");
		return -ENODEV;
	}
	if (stop_minds_index(stop_stock)) {
		pr_err("not loaded: this guest has its processors for itself, only the kernel can add a state to that driver\n");
		return -ENODEV;
	}

	ret = stop_make_states();
	if (!ret) {
		ret = stop_replace(stop_stock, stop_driver);
		if (ret) {
			stop_restore(NULL);
			stop_leave();
			kfree(stop_driver);
		}
	}
	if (ret)
		pr_err("not loaded: the cpuidle driver could not be replaced (error %d)\n",
		       ret);
	return ret;
}
module_init(stop_init);

static void __exit stop_exit(void)
{
	stop_restore(stop_driver);
	stop_leave();
	kfree(stop_driver);
}
module_exit(stop_exit);

MODULE_DESCRIPTION("Idle with the stop instruction in a pseries guest");
MODULE_LICENSE("GPL");
MODULE_VERSION(KVM_HV_EXT_VERSION);
