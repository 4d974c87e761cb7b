// SPDX-License-Identifier: GPL-2.0
/*
 * One resize of the hash page table, as PAPR defines it for a guest.
 *
 * H_RESIZE_HPT_PREPARE is asked again and again until the hypervisor has the
 * new table ready; the guest runs meanwhile and sleeps for as long as the
 * hypervisor advises. H_RESIZE_HPT_COMMIT then switches (switch.c). In between
 * the hypervisor may drop what it prepared, for instance because the guest is
 * being migrated, and says so at COMMIT: then all is started over.
 *
 * The kernel has a resizer of its own (memory hotplug, hpt_order in debugfs)
 * that takes no lock we could share. Both may run at a time: to prepare one
 * size cancels the preparation of another, so at worst one of them has to ask
 * again. It is always exactly one of them whose COMMIT switches, and the
 * kernel's variables are only ever written within stop_machine().
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/freezer.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <asm/hvcall.h>
#include <asm/plpar_wrappers.h>

#include "pseries-hpt.h"

enum {
	/* How often the hypervisor may drop what it has prepared. */
	MAX_TRIES = 4,

	DEFAULT_TIMEOUT_MS = 60 * MSEC_PER_SEC,
};

/* One resize at a time; the next one waits for its turn. */
static DEFINE_MUTEX(resize_lock);

/* Woken when the module is about to go. */
static DECLARE_WAIT_QUEUE_HEAD(stop_wait);
static bool stopping;

/* Written under resize_lock, read at any time. */
static enum hpt_state state;
static u64 last_prepare_us, last_commit_us;

/* Read once at the start of a resize. */
static unsigned int timeout_ms = DEFAULT_TIMEOUT_MS;

static void set_state(enum hpt_state new)
{
	WRITE_ONCE(state, new);
	hpt_sysfs_state_changed();
}

/*
 * What user space is told for an answer that ends a resize. PAPR has two ways
 * to refuse by policy: H_AUTHORITY, and H_RESOURCE for more than this guest
 * may have.
 */
static int hcall_errno(const char *hcall, long rc)
{
	switch (rc) {
	case H_PARAMETER:
		return -EINVAL;
	case H_RESOURCE:
	case H_AUTHORITY:
		return -EPERM;
	case H_NO_MEM:
		return -ENOMEM;
	case H_PTEG_FULL:
		return -ENOSPC;
	case H_FUNCTION:
	case H_NOT_AVAILABLE:
		return -ENODEV;
	default:
		pr_warn("%s answered %ld\n", hcall, rc);
		return -EIO;
	}
}

/*
 * Sleep between two PREPAREs, for as long as the hypervisor advised but not
 * beyond @deadline.
 */
static int wait_prepare(long busy, ktime_t deadline)
{
	s64 left = ktime_ms_delta(deadline, ktime_get());
	long ret;

	if (left <= 0)
		return -ETIMEDOUT;

	left = min_t(s64, left, get_longbusy_msecs(busy));
	ret = wait_event_freezable_timeout(stop_wait, READ_ONCE(stopping),
					   msecs_to_jiffies(left));
	if (ret < 0)
		return -EINTR;

	return ret ? -ENODEV : 0;
}

/*
 * Have the hypervisor prepare an HPT. After any failure nothing is left
 * prepared or in preparation.
 */
static int prepare(unsigned int order, ktime_t deadline)
{
	bool started = false;
	long rc;
	int ret;

	for (;;) {
		rc = plpar_resize_hpt_prepare(0, order);
		if (!H_IS_LONG_BUSY(rc))
			break;

		started = true;
		ret = wait_prepare(rc, deadline);
		if (ret)
			goto cancel;
	}

	if (rc == H_SUCCESS)
		return 0;

	ret = hcall_errno("H_RESIZE_HPT_PREPARE", rc);
	if (!started)
		return ret;

cancel:
	/* Shift 0: whatever there is, drop it. */
	rc = plpar_resize_hpt_prepare(0, 0);
	if (rc != H_SUCCESS)
		pr_warn("H_RESIZE_HPT_PREPARE to cancel answered %ld\n", rc);
	return ret;
}

/*
 * Switch to the prepared HPT. -EAGAIN: it is no longer there (H_CLOSED), or is
 * being prepared anew (H_BUSY).
 */
static int commit(unsigned int order)
{
	long rc;

	rc = hpt_switch(order);
	if (rc == H_SUCCESS)
		return 0;
	if (rc == H_CLOSED || rc == H_BUSY)
		return -EAGAIN;

	/* Not switching is no reason to keep the memory. */
	plpar_resize_hpt_prepare(0, 0);
	return hcall_errno("H_RESIZE_HPT_COMMIT", rc);
}

static int resize_once(unsigned int order, ktime_t deadline)
{
	ktime_t begin, ready, done;
	int ret;

	begin = ktime_get();
	set_state(HPT_PREPARING);
	ret = prepare(order, deadline);
	if (ret)
		return ret;

	ready = ktime_get();
	set_state(HPT_COMMITTING);
	ret = commit(order);
	if (ret)
		return ret;

	done = ktime_get();
	WRITE_ONCE(last_prepare_us, ktime_us_delta(ready, begin));
	WRITE_ONCE(last_commit_us, ktime_us_delta(done, ready));
	return 0;
}

static int resize_locked(unsigned int order)
{
	unsigned int from = hpt_order();
	ktime_t deadline;
	int tries, ret;

	if (READ_ONCE(stopping))
		return -ENODEV;
	if (order == from)
		return 0;

	deadline = ktime_add_ms(ktime_get(), hpt_timeout_ms());
	for (tries = 0; tries < MAX_TRIES; tries++) {
		ret = resize_once(order, deadline);
		if (ret != -EAGAIN)
			break;
	}
	set_state(HPT_IDLE);

	if (!ret)
		pr_info("hash page table resized from order %u to %u, prepare %llu us, commit %llu us\n",
			from, order, last_prepare_us, last_commit_us);
	else if (ret == -EAGAIN)
		pr_warn("the hypervisor dropped the prepared hash page table %d times\n",
			MAX_TRIES);

	return ret;
}

/**
 * hpt_resize() - resize the hash page table
 * @order: log2 of the new size in bytes
 *
 * Waits for a resize that is under way, then for this one. The present size is
 * a resize that has nothing to do. After a failure the old HPT is in force, and
 * the hypervisor holds nothing for us.
 *
 * Context: process context, sleeps; not under cpus_read_lock().
 * Return: 0, or
 * -EINVAL: no HPT has such a size,
 * -EINTR: a signal came before COMMIT,
 * -ETIMEDOUT: not ready within hpt_timeout_ms(),
 * -EPERM: the hypervisor does not let this guest have such a size,
 * -ENOMEM: the hypervisor has no memory for it,
 * -ENOSPC: two entries that must be kept would share a slot,
 * -EAGAIN: the hypervisor kept dropping what it had prepared,
 * -ENODEV: the hypervisor no longer resizes, or the module is going,
 * -EIO: the hypervisor gave an answer that makes no sense, see the log.
 */
int hpt_resize(unsigned int order)
{
	int ret;

	if (order < HPT_ORDER_MIN || order > HPT_ORDER_MAX)
		return -EINVAL;

	ret = mutex_lock_interruptible(&resize_lock);
	if (ret)
		return ret;

	ret = resize_locked(order);
	mutex_unlock(&resize_lock);

	return ret;
}

/**
 * hpt_resize_stop() - end a resize that is under way, allow no further ones
 *
 * Does not wait for it to end.
 *
 * Context: process context.
 */
void hpt_resize_stop(void)
{
	WRITE_ONCE(stopping, true);
	wake_up_all(&stop_wait);
}

/**
 * hpt_resize_state() - what a resize under way is doing
 *
 * Context: any.
 * Return: the state; HPT_IDLE when there is none.
 */
enum hpt_state hpt_resize_state(void)
{
	return READ_ONCE(state);
}

/**
 * hpt_last_prepare_us() - duration of the last successful resize's PREPARE
 *
 * From the first PREPARE to the one that found the new HPT ready; if COMMIT
 * found it gone, counted from the restart.
 *
 * Context: any.
 * Return: microseconds, 0 before the first resize.
 */
u64 hpt_last_prepare_us(void)
{
	return READ_ONCE(last_prepare_us);
}

/**
 * hpt_last_commit_us() - duration of the last successful resize's COMMIT
 *
 * From asking the other CPUs to stop until all of them run again: what the
 * programs on this guest feel.
 *
 * Context: any.
 * Return: microseconds, 0 before the first resize.
 */
u64 hpt_last_commit_us(void)
{
	return READ_ONCE(last_commit_us);
}

/**
 * hpt_timeout_ms() - how long the hypervisor may prepare before we give up
 *
 * Context: any.
 * Return: milliseconds.
 */
unsigned int hpt_timeout_ms(void)
{
	return READ_ONCE(timeout_ms);
}

/**
 * hpt_set_timeout_ms() - change hpt_timeout_ms(), for resizes not yet begun
 * @ms: milliseconds
 *
 * Context: any.
 */
void hpt_set_timeout_ms(unsigned int ms)
{
	WRITE_ONCE(timeout_ms, ms);
}
