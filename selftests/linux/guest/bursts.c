// SPDX-License-Identifier: GPL-2.0
/*
 * bursts [SLEEPS [FROM TO STEP]]: has a CPU woken again and again, as often as the
 * interrupts of a busy device would: SLEEPS sleeps of each length from FROM to TO
 * microseconds (3000, 20 to 95 by 15), then says how long they really took.
 *
 * What an idle governor learns from that is how soon a CPU is going to be woken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

static long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static long number(int argc, char **argv, int i, long otherwise)
{
	return i < argc ? atol(argv[i]) : otherwise;
}

int main(int argc, char **argv)
{
	long sleeps = number(argc, argv, 1, 3000);
	long from = number(argc, argv, 2, 20);
	long to = number(argc, argv, 3, 95);
	long step = number(argc, argv, 4, 15);
	struct timespec us = { 0 };
	long begin, i;

	if (sleeps < 1 || from < 1 || step < 1 || to > 999999) {
		fprintf(stderr, "usage: bursts [SLEEPS [FROM TO STEP]]\n");
		return 2;
	}
	if (prctl(PR_SET_TIMERSLACK, 1)) {
		perror("bursts: PR_SET_TIMERSLACK");
		return 1;
	}
	for (; from <= to; from += step) {
		us.tv_nsec = from * 1000;
		begin = now_ns();
		for (i = 0; i < sleeps; i++)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &us, NULL);
		printf("%ld us: %ld us\n", from, (now_ns() - begin) / sleeps / 1000);
	}
	return 0;
}
