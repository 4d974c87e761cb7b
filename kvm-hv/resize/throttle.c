// SPDX-License-Identifier: GPL-2.0
/*
 * What one guest's PREPAREs may cost the rest of the host.
 *
 * A table from CMA has the kernel empty per-CPU lists on all CPUs and move pages, in a
 * worker that no cgroup of the VMM's limits: each PREPARE that begins a resize costs
 * everybody. So one VM does not begin more than so many in a second, and fewer when
 * there is no memory.
 *
 * A resize keeps the balloon off. A guest that prepares without end does not keep it off
 * for ever, whether it cancels, lets one resize after the other expire, or commits them
 * at the last moment: after a hold there is none for as long again.
 */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>

#include "resize/resize.h"

static unsigned int prepare_interval_ms = 200;
module_param(prepare_interval_ms, uint, 0644);
MODULE_PARM_DESC(prepare_interval_ms,
		 "Milliseconds between two PREPAREs of a VM that begin a resize, at least");

static unsigned int nomem_backoff_ms = 1000;
module_param(nomem_backoff_ms, uint, 0644);
MODULE_PARM_DESC(nomem_backoff_ms,
		 "Milliseconds until a VM may begin a resize after one that found no memory, doubled each time");

static void hvx_throttle_assert_held(const struct hvx_throttle *t)
{
	lockdep_assert_held(&container_of(t, struct hvx_resizer, throttle)->lock);
}

/* The longest that a VM waits after it found no memory, again and again. */
#define HVX_MAX_BACKOFF_MS	60000

/**
 * hvx_throttle_wait_ms() - how long until a resize may begin
 * @t: the VM's
 *
 * Context: the resizer's lock is held.
 * Return: milliseconds, 0 if it may begin now.
 */
int hvx_throttle_wait_ms(const struct hvx_throttle *t)
{
	ktime_t now = ktime_get();

	hvx_throttle_assert_held(t);
	if (!ktime_after(t->begin_after, now))
		return 0;
	return clamp_t(s64, ktime_ms_delta(t->begin_after, now), 1, INT_MAX);
}

/**
 * hvx_throttle_begun() - a resize begins
 * @t: the VM's
 *
 * Context: the resizer's lock is held.
 */
void hvx_throttle_begun(struct hvx_throttle *t)
{
	hvx_throttle_assert_held(t);
	t->begin_after = ktime_add_ms(ktime_get(),
				      READ_ONCE(prepare_interval_ms));
}

/**
 * hvx_throttle_ended() - a PREPARE has come to its end
 * @t: the VM's
 * @ret: 0 or what failed
 *
 * Context: the resizer's lock is held.
 */
void hvx_throttle_ended(struct hvx_throttle *t, int ret)
{
	u64 ms = READ_ONCE(nomem_backoff_ms);

	hvx_throttle_assert_held(t);
	if (!ret)
		t->nomem = 0;
	if (ret != -ENOMEM)
		return;
	ms = min_t(u64, ms << min(t->nomem, 16U), max_t(u64, ms, HVX_MAX_BACKOFF_MS));
	t->begin_after = ktime_add_ms(ktime_get(), ms);
	t->nomem++;
}

/**
 * hvx_throttle_may_hold() - whether a resize that begins keeps the balloon off
 * @t: the VM's
 *
 * Context: the resizer's lock is held.
 * Return: false for so long after one that did.
 */
bool hvx_throttle_may_hold(const struct hvx_throttle *t)
{
	hvx_throttle_assert_held(t);
	return !ktime_before(ktime_get(), t->hold_after);
}

/**
 * hvx_throttle_held() - a resize kept the balloon off, and has come to its end
 * @t: the VM's
 * @since: when it began to
 *
 * Context: the resizer's lock is held.
 */
void hvx_throttle_held(struct hvx_throttle *t, ktime_t since)
{
	ktime_t now = ktime_get();

	hvx_throttle_assert_held(t);
	t->hold_after = ktime_add(now, ktime_sub(now, since));
}
