// SPDX-License-Identifier: GPL-2.0
/* Memory that is not there until it is let in. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "gap.h"
#include "host.h"
#include "vmm.h"

/**
 * gap_open() - make a page that nobody has touched one that is waited for
 * @gap: filled in
 * @mem: the page, in anonymous memory, or NULL for a new one
 *
 * Return: false where there is no userfaultfd.
 */
bool gap_open(struct gap *gap, void *mem)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	gap->fd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (gap->fd < 0 || ioctl(gap->fd, UFFDIO_API, &api))
		return false;
	gap->mem = mem ?: mmap(NULL, page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)gap->mem;
	reg.range.len = page;
	return !ioctl(gap->fd, UFFDIO_REGISTER, &reg);
}

/**
 * gap_await() - wait until somebody waits for the page
 * @gap: the gap
 */
void gap_await(struct gap *gap)
{
	struct uffd_msg msg;

	if (read(gap->fd, &msg, sizeof(msg)) != sizeof(msg))
		die("userfaultfd: %s", strerror(errno));
}

/**
 * gap_let_in() - here is the page, and the end of the gap
 * @gap: the gap
 * @what: what the page begins with; the rest is 0
 * @len: bytes of @what
 */
void gap_let_in(struct gap *gap, const void *what, unsigned long len)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	void *mem = aligned_alloc(page, page);
	struct uffdio_copy copy = {
		.dst = (unsigned long)gap->mem,
		.src = (unsigned long)mem,
		.len = page,
	};

	memset(mem, 0, page);
	memcpy(mem, what, len);
	if (ioctl(gap->fd, UFFDIO_COPY, &copy))
		die("UFFDIO_COPY: %s", strerror(errno));
	free(mem);
	close(gap->fd);
}

/**
 * gap_read_log() - read a VM's dirty log, of slot 1: the thread's function
 * @arg: struct gap_log; it ends when the gap is let in
 *
 * Return: NULL.
 */
void *gap_read_log(void *arg)
{
	struct gap_log *me = arg;
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = me->gap.mem };

	me->ret = vm_ioctl(me->vm, KVM_GET_DIRTY_LOG, &log);
	return NULL;
}
