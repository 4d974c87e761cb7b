// SPDX-License-Identifier: GPL-2.0
/* The log of the kernel that a test runs on, for hosts and for Linux guests. */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

/* ALARMING: the lines of lib/alarming, made into one expression by the Makefile. */
#include "alarming.h"

static void bail_out(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/**
 * kmsg_open() - start to watch the kernel log, from now on
 *
 * Return: a descriptor for kmsg_complaints().
 */
int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		bail_out("/dev/kmsg");
	lseek(fd, 0, SEEK_END);
	return fd;
}

static int alarming(const char *record)
{
	static regex_t expression;
	static int ready;

	if (!ready && regcomp(&expression, ALARMING, REG_EXTENDED | REG_NOSUB))
		bail_out("lib/alarming");
	ready = 1;
	return !regexec(&expression, record, 0, NULL, 0);
}

/**
 * kmsg_complaints() - what the kernel complained about
 * @fd: from kmsg_open(), or where the last call left off
 *
 * Each line is shown as a comment.
 *
 * Return: the number of lines.
 */
unsigned int kmsg_complaints(int fd)
{
	unsigned int n = 0;
	char rec[2048];
	ssize_t len;

	for (;;) {
		len = read(fd, rec, sizeof(rec) - 1);
		if (len < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (len <= 0)
			return n;
		rec[len] = 0;
		if (!alarming(rec))
			continue;
		fprintf(stderr, "# kernel log: %s\n", rec);
		n++;
	}
}
