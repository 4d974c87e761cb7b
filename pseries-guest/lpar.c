// SPDX-License-Identifier: GPL-2.0
/*
 * One resize of the hash page table, as PAPR defines it for a guest.
 *
 * H_RESIZE_HPT_PREPARE is asked again and again until the hypervisor has the
 * new table ready; the guest runs meanwhile and sleeps for as long as the
 * hypervisor advises. H_RESIZE_HPT_COMMIT then switches, with every other CPU
 * stopped. In between the hypervisor may drop what it prepared, for instance
 * because the guest is being migrated, and says so at COMMIT: then all is
 * started over.
 *
 * Two answers to PREPARE mean "ask again": H_LONG_BUSY_ORDER_* while the table
 * is prepared, and H_BUSY when nothing has begun, because at present nothing can:
 * a table that changed its size in the middle of a migration would not arrive.
 * Each has a limit of its own, since the one is the hypervisor's speed, and the
 * other somebody's decision that has nothing to do with us.
 *
 * The kernel has other users of the two hcalls (memory hotplug, hpt_order in
 * debugfs), which take no lock that we could share. They may run at the same
 * time as we: to prepare one size cancels the preparation of another, so one of
 * them has to ask again, and who gives up drops what the other has prepared.
 * Which size is in force is decided within stop_machine(), one resize at a time,
 * and the kernel's record of it with it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <asm/book3s/64/mmu-hash.h>
#include <asm/hvcall.h>
#include <asm/plpar_wrappers.h>

#include "pseries-hpt.h"

enum {
	/* The sizes that the architecture knows, as log2 of bytes. */
	ORDER_MIN = 18,
	ORDER_MAX = 46,

	/* A group (PTEG) of HPTEs, as log2 of bytes. */
	PTEG_SHIFT = 7,

	/* How often COMMIT may find that there is nothing prepared. */
	MAX_TRIES = 4,

	DEFAULT_TIMEOUT_MS = 60 * MSEC_PER_SEC,
	DEFAULT_BUSY_TIMEOUT_MS = 3600 * MSEC_PER_SEC,

	/* Who starts another kernel waits no longer, neither for a migration nor for a table. */
	LAST_TIMEOUT_MS = 60 * MSEC_PER_SEC,

	/*
	 * H_BUSY has no hint. The shortest reason for it is over in milliseconds;
	 * the longest, a migration, is to be followed by a resize within seconds.
	 */
	BUSY_FIRST_MS = 10,
	BUSY_LAST_MS = MSEC_PER_SEC,
};

/* One that is under way. */
struct resize {
	unsigned int order;

	/* How much longer, in jiffies, the hypervisor may prepare or be busy. */
	unsigned long prepare_left, busy_left;

	/* The next wait for a hypervisor that is busy. */
	unsigned int busy_ms;

	/* When the hypervisor began to prepare. */
	ktime_t begin;

	/* The one for kexec: nothing ends it but its limits. */
	bool last;
};

/* One resize at a time; the next one waits for its turn. */
static DEFINE_MUTEX(resize_lock);

/* Woken when the module is about to go. */
static DECLARE_WAIT_QUEUE_HEAD(stop_wait);
static bool stopping;

/* Written under resize_lock, read at any time. */
static enum hpt_state state;
static u64 last_prepare_us, last_commit_us;

/* How far the one under way is; for user space, under a lock of its own. */
static DEFINE_SPINLOCK(progress_lock);
static struct {
	unsigned int order;
	unsigned int hint_ms;
	ktime_t begin;
} progress;

/* Read once at the start of a resize. */
static unsigned int timeout_ms = DEFAULT_TIMEOUT_MS;
static unsigned int busy_timeout_ms = DEFAULT_BUSY_TIMEOUT_MS;

static void set_state(enum hpt_state new)
{
	if (new == state)
		return;

	WRITE_ONCE(state, new);
	hpt_sysfs_state_changed();
}

static void set_progress(const struct resize *rs, unsigned int hint_ms)
{
	spin_lock(&progress_lock);
	progress.order = rs ? rs->order : 0;
	progress.hint_ms = hint_ms;
	if (rs)
		progress.begin = rs->begin;
	spin_unlock(&progress_lock);
	hpt_sysfs_progress();
}

/*
 * What user space is told for an answer that ends a PREPARE. PAPR has two ways
 * to refuse by policy: H_AUTHORITY, and H_RESOURCE for more than this guest
 * may have.
 */
static int prepare_errno(long rc)
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
		pr_warn("H_RESIZE_HPT_PREPARE answered %ld\n", rc);
		return -EIO;
	}
}

/*
 * Sleep between two PREPAREs, but not beyond the limit. What is left of that is
 * counted from @asked, in jiffies, since the hcall itself may take its time.
 */
static int wait_prepare(const struct resize *rs, unsigned int ms, unsigned long *left,
			unsigned long asked)
{
	unsigned long ticks = min(msecs_to_jiffies(ms), *left);
	long ret;

	if (!ticks)
		return -ETIMEDOUT;

	if (rs->last) {
		schedule_timeout_uninterruptible(ticks);
	} else {
		/* Not freezable: whoever writes to the file holds locks of kernfs's. */
		ret = wait_event_interruptible_timeout(stop_wait, READ_ONCE(stopping),
						       ticks);
		if (ret < 0)
			return -ERESTARTNOHAND;
		if (ret)
			return -ENODEV;
	}

	*left -= min(jiffies - asked, *left);
	return 0;
}

/* The answer was H_BUSY: nothing is prepared, nothing has begun. */
static int wait_busy(struct resize *rs, unsigned long asked)
{
	int ret;

	set_state(HPT_WAITING);
	set_progress(rs, 0);
	ret = wait_prepare(rs, rs->busy_ms, &rs->busy_left, asked);
	rs->busy_ms = min_t(unsigned int, 2 * rs->busy_ms, BUSY_LAST_MS);
	rs->begin = ktime_get();

	return ret == -ETIMEDOUT ? -EBUSY : ret;
}

/* The answer was H_LONG_BUSY_ORDER_*: the table is being prepared. */
static int wait_preparing(struct resize *rs, long answer, unsigned long asked)
{
	unsigned int ms = get_longbusy_msecs(answer);

	set_state(HPT_PREPARING);
	set_progress(rs, ms);
	rs->busy_ms = BUSY_FIRST_MS;

	return wait_prepare(rs, ms, &rs->prepare_left, asked);
}

/*
 * The kernel does not survive a COMMIT that is traced (traced.c). This is to say so in time,
 * before anything is asked for; who attaches something later has the COMMIT fail (hotplug.c).
 */
static bool refused_as_traced(void)
{
	if (!hpt_traced())
		return false;

	pr_warn_ratelimited("no resize while the tracepoint hcall_exit is in use: the kernel does not survive that\n");
	return true;
}

/*
 * All PREPAREs with an order go by here, by a call that is one: so a test can answer in
 * the hypervisor's place (test/hypervisor.c).
 */
static noinline long hpt_ask_prepare(unsigned long order)
{
	return plpar_resize_hpt_prepare(0, order);
}

/* Have the hypervisor drop what it has prepared or is preparing. */
static void drop_prepared(void)
{
	long rc = plpar_resize_hpt_prepare(0, 0);

	if (rc != H_SUCCESS)
		pr_warn("H_RESIZE_HPT_PREPARE to cancel answered %ld\n", rc);
}

/*
 * Have the hypervisor prepare an HPT. After any failure nothing is left
 * prepared or in preparation.
 */
static int prepare(struct resize *rs)
{
	bool started = false;
	unsigned long asked;
	long rc;
	int ret;

	for (;;) {
		asked = jiffies;
		rc = hpt_ask_prepare(rs->order);
		if (rc == H_BUSY) {
			ret = wait_busy(rs, asked);
		} else if (H_IS_LONG_BUSY(rc)) {
			started = true;
			ret = wait_preparing(rs, rc, asked);
		} else {
			break;
		}
		if (ret)
			goto out_cancel;
	}

	if (rc == H_SUCCESS)
		return 0;

	ret = prepare_errno(rc);
out_cancel:
	if (started)
		drop_prepared();
	return ret;
}

/*
 * Switch to the prepared HPT, by way of the kernel's own resizer: it asks for
 * the same PREPARE once more, which is answered at once, stops the other CPUs
 * and issues COMMIT. It then brings the kernel's three records of the size into
 * line (htab_hash_mask, ppc64_pft_size, htab_size_bytes).
 *
 * A module cannot do that by itself, and not just because only one of the three
 * is exported. When COMMIT returns, the new HPT may hold nothing but the bolted
 * entries: the kernel's linear mapping. Module text lives in vmalloc space, so
 * that the instruction after the hcall would miss, and the fault handler would
 * place its entry by a htab_hash_mask that is still the old one: where the
 * hardware never looks, if the HPT has grown, or beyond its end. (Seen: the one
 * hangs, the other is a BUG(), if the address has a hash that differs in the
 * bits that come or go. At many orders it happens not to.)
 *
 * While the kernel's resizer waits for a PREPARE no signal ends that, and no CPU
 * comes or goes, for up to ten seconds. So it is only called if its PREPARE is
 * going to be answered at once, as far as we can know: we may have waited for the
 * lock, and the hypervisor have dropped the table meanwhile.
 *
 * -EAGAIN: there was nothing prepared any more.
 */
static int commit(unsigned int order)
{
	int ret = -EAGAIN;

	hpt_hotplug_wait();
	cpus_read_lock();
	if (refused_as_traced()) {
		ret = -EBUSY;
	} else if (hpt_ask_prepare(order) == H_SUCCESS) {
		ret = mmu_hash_ops.resize_hpt(order);
		/*
		 * Of what COMMIT may answer the one is the likely one. The other says that
		 * the hypervisor dropped the table after our PREPARE, and the kernel's took
		 * more than its ten seconds.
		 */
		if (ret == -EIO || ret == -ETIMEDOUT)
			ret = -EAGAIN;
	}
	cpus_read_unlock();

	/* Not switching is no reason to keep the memory. */
	if (ret)
		drop_prepared();

	return ret;
}

static void resized(const struct resize *rs, unsigned int from, ktime_t ready, ktime_t done)
{
	u64 prepare_us = ktime_us_delta(ready, rs->begin);
	u64 commit_us = ktime_us_delta(done, ready);

	WRITE_ONCE(last_prepare_us, prepare_us);
	WRITE_ONCE(last_commit_us, commit_us);
	pr_info("order %u is now %u: PREPARE took %llu us, COMMIT %llu us\n", from,
		rs->order, prepare_us, commit_us);
	hpt_sysfs_resized();
}

static int resize_once(struct resize *rs)
{
	unsigned int from = hpt_order();
	ktime_t ready;
	int ret;

	rs->begin = ktime_get();
	set_state(HPT_PREPARING);
	ret = prepare(rs);
	if (ret)
		return ret;

	ready = ktime_get();
	set_state(HPT_COMMITTING);
	ret = commit(rs->order);
	if (!ret)
		resized(rs, from, ready, ktime_get());
	/* After the times: who hears of the order may read those. */
	hpt_watch_tell();
	return ret;
}

static int resize_locked(unsigned int order, bool last)
{
	struct resize rs = {
		.order = order,
		.busy_ms = BUSY_FIRST_MS,
		.last = last,
	};
	unsigned int prepare_ms = hpt_timeout_ms(), busy_ms = hpt_busy_timeout_ms();
	int tries, ret;

	if (last) {
		prepare_ms = min_t(unsigned int, prepare_ms, LAST_TIMEOUT_MS);
		busy_ms = min_t(unsigned int, busy_ms, LAST_TIMEOUT_MS);
	}
	rs.prepare_left = msecs_to_jiffies(prepare_ms);
	rs.busy_left = msecs_to_jiffies(busy_ms);

	if (READ_ONCE(stopping) && !last)
		return -ENODEV;
	if (order == hpt_order())
		return 0;
	if (refused_as_traced())
		return -EBUSY;

	for (tries = 0; tries < MAX_TRIES; tries++) {
		ret = resize_once(&rs);
		set_progress(NULL, 0);
		if (ret != -EAGAIN)
			break;
	}
	/* Who sees "idle" finds that everything says so. */
	set_state(HPT_IDLE);
	/*
	 * Somebody else's resize during our COMMIT was left to us (watch.c). Its stop_machine()
	 * was either before "idle": then its order is seen here. Or after: then its worker sees
	 * "idle", and tells.
	 */
	hpt_watch_tell();

	return ret == -EAGAIN ? -EIO : ret;
}

static void stop(void)
{
	WRITE_ONCE(stopping, true);
	wake_up_all(&stop_wait);
}

/**
 * hpt_order() - size of the HPT that is in force
 *
 * Taken from the mask that the hash fault path itself uses, so that it is
 * right however the size came about: boot, this module, memory hotplug or
 * the kernel's own hpt_order file.
 *
 * Context: any.
 * Return: log2 of the size in bytes.
 */
unsigned int hpt_order(void)
{
	return ilog2(READ_ONCE(htab_hash_mask) + 1) + PTEG_SHIFT;
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
 * -ERESTARTNOHAND: a signal came before COMMIT, or the task is to be frozen; for
 * user space EINTR if the signal has a handler, else it starts over,
 * -ETIMEDOUT: not ready within hpt_timeout_ms(),
 * -EBUSY: not begun within hpt_busy_timeout_ms(), or hcalls are traced,
 * -EPERM: the hypervisor does not let this guest have such a size,
 * -ENOMEM: the hypervisor has no memory for it,
 * -ENOSPC: two entries that must be kept would share a slot,
 * -ENODEV: the hypervisor no longer resizes, or the module is going,
 * -EIO: COMMIT failed time and again, or PREPARE in a way not foreseen; the
 * log has the hypervisor's answer.
 */
int hpt_resize(unsigned int order)
{
	int ret;

	if (order < ORDER_MIN || order > ORDER_MAX)
		return -EINVAL;

	if (mutex_lock_interruptible(&resize_lock))
		return -ERESTARTNOHAND;

	ret = resize_locked(order, false);
	mutex_unlock(&resize_lock);

	return ret;
}

/**
 * hpt_resize_last() - resize as the last thing before another kernel starts
 * @order: log2 of the new size in bytes
 *
 * Ends what is under way, and nobody resizes after it. No signal ends it.
 *
 * Context: process context, sleeps; not under cpus_read_lock().
 * Return: 0, or as hpt_resize().
 */
int hpt_resize_last(unsigned int order)
{
	int ret;

	stop();
	if (order < ORDER_MIN || order > ORDER_MAX)
		return -EINVAL;

	mutex_lock(&resize_lock);
	ret = resize_locked(order, true);
	mutex_unlock(&resize_lock);

	return ret;
}

/**
 * hpt_resize_end() - end a resize that is under way, allow no further ones
 *
 * When it returns none is under way. A COMMIT that had begun has been completed, and told.
 * hpt_resize_last() is not kept from coming after that.
 *
 * Context: process context, sleeps.
 */
void hpt_resize_end(void)
{
	stop();
	/* Who gets it after us finds that we are stopping. */
	mutex_lock(&resize_lock);
	mutex_unlock(&resize_lock);
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
 * hpt_resize_progress() - how far a resize under way is
 *
 * Context: process context.
 * Return: what is known; an order of 0 if there is none, or the hypervisor has not
 * answered yet.
 */
struct hpt_progress hpt_resize_progress(void)
{
	struct hpt_progress now = { };

	spin_lock(&progress_lock);
	if (progress.order) {
		now.order = progress.order;
		now.hint_ms = progress.hint_ms;
		now.elapsed_ms = ktime_ms_delta(ktime_get(), progress.begin);
	}
	spin_unlock(&progress_lock);
	return now;
}

/**
 * hpt_last_prepare_us() - duration of the last successful resize's PREPARE
 *
 * From the first PREPARE that was not put off to the one that found the new HPT
 * ready; if COMMIT found it gone, counted from the restart.
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
 * From knowing that the new HPT is ready until all CPUs run on it: an upper
 * bound of how long programs were held up.
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
 * The time for which it says that it is preparing.
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

/**
 * hpt_busy_timeout_ms() - how long the hypervisor may put us off
 *
 * The time for which it says that it does not prepare at present.
 *
 * Context: any.
 * Return: milliseconds.
 */
unsigned int hpt_busy_timeout_ms(void)
{
	return READ_ONCE(busy_timeout_ms);
}

/**
 * hpt_set_busy_timeout_ms() - change hpt_busy_timeout_ms(), for resizes not yet begun
 * @ms: milliseconds
 *
 * Context: any.
 */
void hpt_set_busy_timeout_ms(unsigned int ms)
{
	WRITE_ONCE(busy_timeout_ms, ms);
}
