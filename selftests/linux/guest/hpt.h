/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of the guest driver: its files in /sys/kernel/hpt, its module, and
 * other processes that write to its files.
 *
 * Everything answers with 0 or the errno that the system call failed with.
 */
#ifndef LAB_GUEST_HPT_H
#define LAB_GUEST_HPT_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#define HPT_ORDER	"/sys/kernel/hpt/order"
#define HPT_STATE	"/sys/kernel/hpt/state"
#define HPT_PROGRESS	"/sys/kernel/hpt/progress"
#define HPT_TIMEOUT	"/sys/kernel/hpt/timeout_ms"
#define HPT_BUSY_TIMEOUT "/sys/kernel/hpt/busy_timeout_ms"
#define HPT_PREPARE_US	"/sys/kernel/hpt/last_prepare_us"
#define HPT_COMMIT_US	"/sys/kernel/hpt/last_commit_us"
/* The kernel's own file. */
#define KERNEL_ORDER	"/sys/kernel/debug/powerpc/hpt_order"
#define HPT_MODULE	"/guest/pseries-hpt.ko"
/* Has the hypervisor cancel, or be busy. */
#define TEST_MODULE	"/guest/pseries-hpt-test.ko"
#define TEST_PARAM	"/sys/module/pseries_hpt_test/parameters/"

/* A writer that was killed leaves this and the signal's number. */
#define WRITER_KILLED	1000

static inline noreturn void bail_out(const char *what, int err)
{
	printf("Bail out! %s: %s\n", what, strerror(err));
	fflush(stdout);
	_exit(KSFT_FAIL);
}

static inline int write_file(const char *file, const void *data, size_t len)
{
	int fd, ret = 0;

	fd = open(file, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, data, len) < 0)
		ret = errno;
	close(fd);
	return ret;
}

/* At most: the lowest tick rate a kernel may have is 100 Hz. */
#define TICK_US		10000

/* By the tick, which on an emulated host is the one clock that never errs. */
static inline long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

static inline int write_text(const char *file, const char *text)
{
	return write_file(file, text, strlen(text));
}

static inline int write_number(const char *file, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld\n", number);
	return write_text(file, text);
}

/* Up to the end of the line. */
static inline void read_line(const char *file, char *line, int size)
{
	FILE *f = fopen(file, "r");

	if (!f || !fgets(line, size, f))
		bail_out(file, errno);
	line[strcspn(line, "\n")] = 0;
	fclose(f);
}

/* All of a short file. */
static inline void read_text(const char *file, char *text, int size)
{
	int fd = open(file, O_RDONLY);
	int len = fd < 0 ? -1 : read(fd, text, size - 1);

	if (len < 0)
		bail_out(file, errno);
	text[len] = 0;
	close(fd);
}

static inline long read_number(const char *file)
{
	char line[64];

	read_line(file, line, sizeof(line));
	return atol(line);
}

static inline bool state_is(const char *expected)
{
	char line[64];

	read_line(HPT_STATE, line, sizeof(line));
	return !strcmp(line, expected);
}

static inline int insert_module_file(const char *file)
{
	int fd, ret = 0;

	fd = open(file, O_RDONLY);
	if (fd < 0)
		bail_out(file, errno);
	if (syscall(SYS_finit_module, fd, "", 0))
		ret = errno;
	close(fd);
	return ret;
}

static inline int remove_module_named(const char *name)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK))
		return errno;
	return 0;
}

static inline int insert_module(void)
{
	return insert_module_file(HPT_MODULE);
}

static inline int remove_module(void)
{
	return remove_module_named("pseries_hpt");
}

static inline void ignore_signal(int sig)
{
	(void)sig;
}

/* A process that writes a number to a file and leaves the errno behind. */
static inline pid_t spawn_writer(const char *file, long number)
{
	/* The likely way to set a handler: restarts what it may restart. */
	struct sigaction action = {
		.sa_handler = ignore_signal,
		.sa_flags = SA_RESTART,
	};
	pid_t pid;

	pid = fork();
	if (pid < 0)
		bail_out("fork", errno);
	if (pid == 0) {
		sigaction(SIGUSR1, &action, NULL);
		_exit(write_number(file, number));
	}
	return pid;
}

static inline int reap_writer(pid_t writer)
{
	int status;

	if (waitpid(writer, &status, 0) != writer)
		bail_out("waitpid", errno);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   WRITER_KILLED + WTERMSIG(status);
}

static inline bool ended(pid_t writer)
{
	siginfo_t info = { .si_pid = 0 };

	return !waitid(P_PID, writer, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == writer;
}

/* Until a writer that was sent SIGSTOP stops; false if it ended first. */
static inline bool await_stopped(pid_t writer)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PID, writer, &info, WSTOPPED | WEXITED | WNOWAIT))
		bail_out("waitid", errno);
	return info.si_code == CLD_STOPPED;
}

/* Until a resize is in that state; false if the writer ended first. */
static inline bool await_state(pid_t writer, const char *expected)
{
	struct pollfd state = { .events = POLLPRI };
	char line[16] = "";
	bool seen = false;

	state.fd = open(HPT_STATE, O_RDONLY);
	while (!seen && !ended(writer)) {
		lseek(state.fd, 0, SEEK_SET);
		if (read(state.fd, line, sizeof(line)) < 0)
			bail_out(HPT_STATE, errno);
		seen = !strncmp(line, expected, strlen(expected));
		/* Limited, as a short state may have come and gone. */
		if (!seen)
			poll(&state, 1, 20);
	}
	close(state.fd);
	return seen;
}

static inline bool await_preparing(pid_t writer)
{
	return await_state(writer, "preparing");
}

/* Until a process sleeps in the kernel; false if it ended first. */
static inline bool await_sleeping(pid_t writer)
{
	char file[32], line[128], *state;

	snprintf(file, sizeof(file), "/proc/%d/stat", writer);
	for (;;) {
		read_line(file, line, sizeof(line));
		state = strrchr(line, ')');
		if (state && state[2] == 'S')
			return true;
		if (ended(writer))
			return false;
		sched_yield();
	}
}

/* Until a process waits in a kernel function of that name; false if it ended first. */
static inline bool await_waiting_in(pid_t pid, const char *function)
{
	char file[32], line[128];

	snprintf(file, sizeof(file), "/proc/%d/wchan", pid);
	for (;;) {
		read_line(file, line, sizeof(line));
		if (strstr(line, function))
			return true;
		if (ended(pid))
			return false;
		sched_yield();
	}
}

#endif /* LAB_GUEST_HPT_H */
