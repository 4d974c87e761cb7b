/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One stay in stop0lite: what is the same in this module and in the kernel's own driver
 * for cpuidle, as pseries-guest/patches change that (lab/patches).
 */
#ifndef PSERIES_STOP_LOOP_H
#define PSERIES_STOP_LOOP_H

/* In microseconds. Right for an emulated stop, too: a guest cannot tell, and it may move. */
#define STOP_EXIT_LATENCY	5
#define STOP_TARGET_RESIDENCY	20

/*
 * A stop that nothing has ended is left this much later than the next state's target
 * residency. The governor takes that for a wakeup, and learns from its time, less the
 * exit latency. If that were less than the residency, the governor would choose stop
 * again and again, and a vCPU that has nothing to do would never rest.
 */
#define STOP_SLACK		20

/*
 * The decrementer ends a stop that is not emulated, this much later. An emulated stop
 * looks at the time itself, and needs no interrupt.
 */
#define STOP_DEC_SLACK		20

/* How long to stay, in timebase ticks. */
static u64 stop_limit __read_mostly;

/*
 * If there is a deeper state, have the decrementer end the stop when it is time. Returns
 * when it was due before, or 0 if it is left as it is.
 */
static __always_inline u64 stop_dec_begin(const struct cpuidle_device *dev,
					  const struct cpuidle_driver *drv,
					  int index, u64 now)
{
	u64 next = timer_get_next_tb();
	u64 ticks = stop_limit + STOP_DEC_SLACK * tb_ticks_per_usec;

	if (index + 1 >= drv->state_count ||
	    dev->states_usage[index + 1].disable || next <= now + ticks)
		return 0;

	set_dec(ticks);
	return next;
}

/*
 * Put it back. If it is what has woken us, its handler does that: it finds nothing due.
 * A decrementer has 31 bits at least; if it is due later, the handler sets it again.
 */
static __always_inline void stop_dec_end(u64 next)
{
	u64 now = get_tb();

	if (!next || local_paca->irq_happened & PACA_IRQ_DEC)
		return;

	set_dec(next > now ? min_t(u64, next - now, INT_MAX) : 1);
}

/*
 * To be called with interrupts disabled softly. With MSR[EE] off, any interrupt makes
 * stop return to the instruction behind it, and stays pending until it is let in. False
 * if there is something to do already.
 */
static __always_inline bool stop_once(void)
{
	__hard_irq_disable();
	local_paca->irq_happened |= PACA_IRQ_HARD_DIS;

	/* An interrupt that came while they were off only softly does not end stop. */
	if (lazy_irq_pending_nocheck() || need_resched())
		return false;

	asm volatile(PPC_STOP : : : "memory");
	return true;
}

/*
 * Let the interrupt in that has woken us. Interrupts are still off softly: its vector
 * only notes it in irq_happened, and the handler runs later.
 */
static __always_inline void stop_look(void)
{
	local_paca->irq_happened &= ~PACA_IRQ_HARD_DIS;
	__hard_irq_enable();
}

/*
 * Stop until there is an interrupt. The idle loop handles it after we have returned: its
 * handler may arm a timer, and with the tick stopped only the idle loop sets the
 * decrementer for that. A wakeup without an interrupt, as each emulated stop is, is no
 * reason to leave. The end of our time is one: the governor may choose a deeper state.
 */
static __always_inline void stop_stay(const struct cpuidle_device *dev,
				      const struct cpuidle_driver *drv, int index)
{
	u64 now = get_tb();
	u64 until = now + stop_limit;
	u64 next = stop_dec_begin(dev, drv, index, now);

	/* All levels 0: the lightest, which loses nothing. */
	mtspr(SPRN_PSSCR_PR, 0);
	while (stop_once() && get_tb() < until)
		stop_look();
	stop_dec_end(next);
}

#endif /* PSERIES_STOP_LOOP_H */
