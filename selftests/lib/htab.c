// SPDX-License-Identifier: GPL-2.0
/* The guest-visible HPT, through KVM_PPC_GET_HTAB_FD. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hpt.h"
#include "host.h"
#include "vmm.h"

#define READ_SIZE	MIB

/**
 * htab_fd() - open the HTAB of a VM
 * @vm: the VM
 * @flags: KVM_GET_HTAB_*
 *
 * With kvm-hv-ext this ends a resize in flight.
 *
 * Return: the descriptor, or -errno.
 */
int htab_fd(struct vm *vm, u64 flags)
{
	struct kvm_get_htab_fd arg = { .flags = flags };

	return vm_ioctl(vm, KVM_PPC_GET_HTAB_FD, &arg);
}

/**
 * htab_read() - the whole guest-visible HPT
 * @vm: the VM; vm->order must be right
 *
 * Return: an array of entries, zero where there is none; the caller frees it.
 */
struct hpte *htab_read(struct vm *vm)
{
	u64 i, next = 0, n = 1ull << (vm->order - 4);
	struct hpte *htab = calloc(n, sizeof(*htab));
	char *buf = malloc(READ_SIZE);
	int fd = htab_fd(vm, 0);
	ssize_t len;

	if (fd < 0)
		die("KVM_PPC_GET_HTAB_FD: %s", strerror(-fd));
	while (next < n) {
		const char *p = buf;

		len = read(fd, buf, READ_SIZE);
		if (len <= 0)
			die("HTAB ends at %#lx of %#lx", (unsigned long)next,
			    (unsigned long)n);
		while (p < buf + len) {
			struct kvm_get_htab_header hdr;

			memcpy(&hdr, p, sizeof(hdr));
			p += sizeof(hdr);
			if (hdr.index != next ||
			    hdr.index + hdr.n_valid + hdr.n_invalid > n)
				die("HTAB chunk at %#x+%u+%u of %#lx, expected at %#lx",
				    hdr.index, hdr.n_valid, hdr.n_invalid,
				    (unsigned long)n, (unsigned long)next);
			for (i = 0; i < hdr.n_valid; i++) {
				struct hpte *hpte = &htab[hdr.index + i];

				memcpy(hpte, p, sizeof(*hpte));
				p += sizeof(*hpte);
				hpte->v = be64toh(hpte->v) & ~HPTE_V_HOST_BITS;
				hpte->r = be64toh(hpte->r);
			}
			next = hdr.index + hdr.n_valid + hdr.n_invalid;
		}
	}
	close(fd);
	free(buf);
	return htab;
}

/**
 * htab_order() - order of a VM's HPT, when only the guest knows
 * @vm: the VM
 *
 * Return: log2 of its size in bytes.
 */
unsigned int htab_order(struct vm *vm)
{
	int fd = htab_fd(vm, KVM_GET_HTAB_BOLTED_ONLY);
	char *buf = malloc(READ_SIZE);
	u64 end = 0;
	ssize_t len;

	if (fd < 0)
		die("KVM_PPC_GET_HTAB_FD: %s", strerror(-fd));
	/* A second pass, which shows changes only, begins at 0 again. */
	while ((len = read(fd, buf, READ_SIZE)) > 0) {
		const char *p = buf;

		while (p < buf + len) {
			struct kvm_get_htab_header hdr;

			memcpy(&hdr, p, sizeof(hdr));
			if (hdr.index != end)
				goto out;
			end += hdr.n_valid + hdr.n_invalid;
			p += sizeof(hdr) + hdr.n_valid * sizeof(struct hpte);
		}
	}
out:
	close(fd);
	free(buf);
	if (!end || (end & (end - 1)))
		die("HTAB of %#lx entries", (unsigned long)end);
	return __builtin_ctzl(end) + 4;
}

/**
 * htab_write() - put one entry into the HPT of a VM whose vCPUs are idle
 * @vm: the VM
 * @index: where
 * @hpte: what, NULL to invalidate
 */
void htab_write(struct vm *vm, u64 index, const struct hpte *hpte)
{
	struct {
		struct kvm_get_htab_header hdr;
		u64 v, r;
	} __packed rec = {
		.hdr.index = index,
		.hdr.n_valid = !!hpte,
		.hdr.n_invalid = !hpte,
	};
	ssize_t len = sizeof(rec.hdr);
	int fd = htab_fd(vm, KVM_GET_HTAB_WRITE);

	if (fd < 0)
		die("KVM_PPC_GET_HTAB_FD: %s", strerror(-fd));
	if (hpte) {
		rec.v = htobe64(hpte->v);
		rec.r = htobe64(hpte->r);
		len = sizeof(rec);
	}
	if (write(fd, &rec, len) != len)
		die("HTAB write at %#lx: %s", (unsigned long)index,
		    strerror(errno));
	close(fd);
}
