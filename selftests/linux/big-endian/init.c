// SPDX-License-Identifier: GPL-2.0
/*
 * First process of a big-endian Linux guest, for which the archive has no shell. It runs
 * the commands that "guest exec" sends over the guest's second console (hvc1), one at a
 * time, and sends back what they print:
 *
 *	read FILE		prints it
 *	write FILE WORD		... into it
 *	dmesg			prints the kernel's log
 *	machine			prints what uname calls it
 *	begin PROGRAM WORD...	has it run until it has printed a line
 *	end			has that program end; prints the rest, and fails if it does
 *	resize COUNT SEED	... orders up and down again, at random moments that begin
 *				with that number; prints the longest of them in us
 *	bolted			how many entries the HPT has for the kernel's own memory,
 *				and the sum of all that they say
 *
 * Each ends with 0, or with an errno and a line that says so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CONSOLE		"/dev/hvc1"
#define HPT		"/sys/kernel/debug/kernel_hash_pagetable"
#define ORDER		"/sys/kernel/debug/powerpc/hpt_order"
#define MAX_PAUSE_US	200000
#define LINE		4096
#define WORDS		16
#define READ_LOG	3	/* SYSLOG_ACTION_READ_ALL */
#define LOG_SIZE	0x40000

/* What "begin" has begun, and where it prints. */
static pid_t program;
static FILE *printed;

/* Six bits, or -1. */
static int sextet(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? at - digits : -1;
}

/* In place: what it makes is shorter. Up to the first character that is none of base64. */
static void decode(char *text)
{
	unsigned int bits = 0, have = 0;
	char *to = text;
	int six;

	for (; (six = sextet(*text)) >= 0; text++) {
		bits = bits << 6 | six;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*to++ = bits >> have;
		}
	}
	*to = '\0';
}

static int do_read(char **word)
{
	FILE *file = fopen(word[1], "r");
	char line[LINE];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		fputs(line, stdout);
	fclose(file);
	return 0;
}

static int write_word(const char *name, const char *word)
{
	int fd = open(name, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, word, strlen(word)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int do_write(char **word)
{
	return write_word(word[1], word[2]);
}

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int do_resize(char **word)
{
	long longest = 0, begun, took;
	int count = atoi(word[1]), i, err;
	unsigned int order;
	char text[16];
	FILE *file;

	srandom(atoi(word[2]));
	for (i = 0; i < count; i++) {
		if (!(i % 2)) {
			file = fopen(ORDER, "r");
			if (!file || fscanf(file, "%u", &order) != 1)
				return -EIO;
			fclose(file);
		}
		usleep(random() % MAX_PAUSE_US);
		sprintf(text, "%u", i % 2 ? order : order + 1);
		begun = now_us();
		err = write_word(ORDER, text);
		if (err)
			return err;
		took = now_us() - begun;
		if (took > longest)
			longest = took;
	}
	printf("%ld\n", longest);
	return 0;
}

static int do_dmesg(char **word)
{
	static char log[LOG_SIZE];
	int n = klogctl(READ_LOG, log, sizeof(log));

	if (n < 0)
		return -errno;
	fwrite(log, 1, n, stdout);
	return 0;
}

static int do_machine(char **word)
{
	struct utsname name;

	if (uname(&name))
		return -errno;
	puts(name.machine);
	return 0;
}

static int do_begin(char **word)
{
	char line[LINE];
	int fds[2];

	if (printed)
		return -EBUSY;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(stdout);
	program = fork();
	if (program < 0)
		return -errno;
	if (!program) {
		dup2(fds[1], STDOUT_FILENO);
		execv(word[1], word + 1);
		_exit(127);
	}
	close(fds[1]);
	printed = fdopen(fds[0], "r");
	if (!printed || !fgets(line, sizeof(line), printed))
		return -ENOEXEC;
	fputs(line, stdout);
	return 0;
}

static int do_end(char **word)
{
	char line[LINE];
	int status;

	if (!printed)
		return -ESRCH;
	kill(program, SIGTERM);
	while (fgets(line, sizeof(line), printed))
		fputs(line, stdout);
	fclose(printed);
	printed = NULL;
	if (waitpid(program, &status, 0) != program)
		return -errno;
	return status ? -EIO : 0;
}

/* Fowler, Noll and Vo's sum. */
static uint64_t add(uint64_t sum, const char *text)
{
	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3;
	return sum;
}

/*
 * Which of the two groups an entry is in, and its R and C, may change at any time. The rest
 * of a bolted one the kernel has made for good.
 */
static bool may_change(const char *word)
{
	static const char *const names[] = {
		"primary", "secondary", "ref", "changed", NULL
	};
	const char *const *name;

	for (name = names; *name; name++)
		if (!strcmp(word, *name))
			return true;
	return false;
}

static int do_bolted(char **word)
{
	FILE *file = fopen(HPT, "r");
	uint64_t sum = 0;
	char line[LINE], *at, *next;
	unsigned long count = 0;

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, "bolted"))
			continue;
		count++;
		for (at = strtok_r(line, "\n\t ", &next); at;
		     at = strtok_r(NULL, "\n\t ", &next))
			if (!may_change(at))
				sum = add(sum, at);
	}
	fclose(file);
	printf("%lu entries, %016llx\n", count, (unsigned long long)sum);
	return 0;
}

static const struct command {
	const char *name;
	unsigned int words;
	int (*run)(char **word);
} commands[] = {
	{ "read", 2, do_read },
	{ "write", 3, do_write },
	{ "dmesg", 1, do_dmesg },
	{ "machine", 1, do_machine },
	{ "resize", 3, do_resize },
	{ "begin", 2, do_begin },
	{ "end", 1, do_end },
	{ "bolted", 1, do_bolted },
	{}
};

static int execute(char *text)
{
	const struct command *command;
	char *word[WORDS + 1] = {}, *next;
	unsigned int n = 0;

	for (word[0] = strtok_r(text, "\n ", &next); word[n] && n < WORDS - 1;
	     word[++n] = strtok_r(NULL, "\n ", &next))
		;
	for (command = commands; command->name; command++) {
		if (n >= command->words && !strcmp(word[0], command->name))
			return command->run(word);
	}
	return -ENOSYS;
}

static void serve(FILE *console)
{
	static char line[LINE], last[LINE], mark[LINE], script[LINE];
	unsigned int length;
	int err;

	while (fgets(line, sizeof(line), console)) {
		/* A line may come twice, and a part of one may be missing. */
		if (sscanf(line, "%s %u %*u %s", mark, &length, script) != 3 ||
		    strlen(script) != length || !strcmp(mark, last))
			continue;
		memcpy(last, mark, sizeof(last));
		printf("%s begin\n", mark);
		fflush(stdout);
		decode(script);
		err = execute(script);
		if (err)
			printf("%s\n", strerror(-err));
		printf("%s end %d\n", mark, -err);
		fflush(stdout);
	}
}

/*
 * On an emulated host the console's interrupt gets lost now and then. Whenever a console is
 * opened, the kernel looks for input without being asked by an interrupt.
 */
static void look_for_input(void)
{
	if (fork())
		return;
	for (;;) {
		sleep(1);
		close(open(CONSOLE, O_RDONLY | O_NOCTTY));
	}
}

int main(void)
{
	struct termios raw;
	FILE *console;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	console = fopen(CONSOLE, "r");
	if (!console || !freopen(CONSOLE, "w", stdout) ||
	    tcgetattr(fileno(console), &raw))
		return EXIT_FAILURE;
	cfmakeraw(&raw);
	tcsetattr(fileno(console), TCSANOW, &raw);
	look_for_input();
	puts("lab-guest-ready");
	fflush(stdout);
	serve(console);
	reboot(RB_POWER_OFF);
	return EXIT_FAILURE;
}
