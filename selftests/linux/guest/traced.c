// SPDX-License-Identifier: GPL-2.0
/*
 * traced FILE ORDER...: writes these orders to FILE, one after the other, while perf and a
 * BPF program are attached to the tracepoint hcall_exit.
 *
 * Both run at the end of each hcall. The program counts in a map of several MiB of
 * vmalloc memory, in a place chosen at random, so that it meets entries that a new HPT need
 * not have. If that happens behind COMMIT, before the kernel knows the new size, the guest
 * is lost.
 *
 * The exit status is the error of the first write that failed, 0 if none did, 255 if there
 * is something else. A resize that nothing was attached to is something else.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hpt.h"

#define TRACEPOINT	"/sys/kernel/tracing/events/powerpc/hcall_exit/id"

/* A power of two, of 64 bytes each: 4 MiB. */
#define PLACES		0x10000
#define MAX_CPUS	64

struct place {
	uint64_t count, unused[7];
};

static void fail(const char *what)
{
	perror(what);
	exit(255);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(struct place),
		.max_entries = PLACES,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		fail("the map");
	return fd;
}

#define INSN(op, dst, src, offset, value)	{					\
	.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset),	\
	.imm = (value) }

/* map[random].count++; return 1, for perf to have its sample. */
static int load_program(int map)
{
	static char log[4096];
	struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_prandom_u32),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 0, 0, 0, PLACES - 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 0, -4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 1, 0, BPF_ADD),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACEPOINT,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(*insns),
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0) {
		fputs(log, stderr);
		fail("the BPF program");
	}
	return fd;
}

struct watch {
	int fd;
	struct perf_event_mmap_page *ring;
};

/* Has perf take a sample of each on that CPU; the program is for all CPUs. */
static struct watch attach(long id, int cpu, int program)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW | PERF_SAMPLE_TIME,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
	void *ring;

	if (fd < 0)
		fail("perf");
	ring = mmap(NULL, 9 * sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
	if (ring == MAP_FAILED)
		fail("perf's buffer");
	/* The tracepoint has one list of programs: the first CPU's event brings ours. */
	if (!cpu && ioctl(fd, PERF_EVENT_IOC_SET_BPF, program))
		fail("attaching the BPF program");
	if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		fail("enabling perf");
	return (struct watch) { fd, ring };
}

static uint64_t counted(int map)
{
	struct place place;
	uint64_t sum = 0;
	uint32_t key;
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)&key,
		.value = (uintptr_t)&place,
	};

	for (key = 0; key < PLACES; key++) {
		if (bpf(BPF_MAP_LOOKUP_ELEM, &attr))
			fail("reading the map");
		sum += place.count;
	}
	return sum;
}

int main(int argc, char **argv)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct watch watches[MAX_CPUS];
	int i, map, program, ret = 0;
	uint64_t sampled = 0, seen;
	long id;

	if (argc < 3) {
		fprintf(stderr, "usage: traced FILE ORDER...\n");
		return 255;
	}
	id = read_number(TRACEPOINT);
	map = make_map();
	program = load_program(map);
	for (i = 0; i < cpus && i < MAX_CPUS; i++)
		watches[i] = attach(id, i, program);
	for (i = 2; i < argc && !ret; i++) {
		ret = write_number(argv[1], atol(argv[i]));
		if (ret)
			printf("order %s: %s\n", argv[i], strerror(ret));
	}
	/*
	 * Detached, before the map is read: the hash fault of a system call that reads it is an
	 * hcall, too. If the program came across the same page, it would wait for the end of
	 * that fault.
	 */
	for (i = 0; i < cpus && i < MAX_CPUS; i++) {
		sampled += watches[i].ring->data_head;
		munmap(watches[i].ring, 9 * sysconf(_SC_PAGESIZE));
		close(watches[i].fd);
	}
	seen = counted(map);
	printf("%d resizes, %lu hcalls seen by BPF, %lu bytes of perf's samples\n", argc - 2,
	       (unsigned long)seen, (unsigned long)sampled);
	return ret ?: seen && sampled ? 0 : 255;
}
