// SPDX-License-Identifier: GPL-2.0
/*
 * flock FD: waits for the lock of an open file, in place of util-linux's, which busybox has
 * not. For scripts that distributions run (hpt-kdump-reload).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: flock FD\n", stderr);
		return 2;
	}
	return flock(atoi(argv[1]), LOCK_EX) != 0;
}
