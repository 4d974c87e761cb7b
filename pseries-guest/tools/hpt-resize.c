// SPDX-License-Identifier: GPL-2.0
/*
 * hpt-resize: shows and changes the size of the hash page table, by the files of
 * pseries-hpt in /sys/kernel/hpt. See hpt-resize(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Another folder, for tests of this program. */
static const char *folder = "/sys/kernel/hpt";

enum {
	ORDER_MIN = 18,
	ORDER_MAX = 46,

	/* An HPT of 1/128 of the memory is what hypervisors begin with. */
	MEMORY_PER_HPT_SHIFT = 7,

	BAR_WIDTH = 40,

	/* Exit statuses. */
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

static bool json;

/* Why a resize fails: the name, and what it means for the administrator. */
#define REASON(err, text)	{ err, #err, text }

static const struct reason {
	int err;
	const char *name, *text;
} reasons[] = {
	REASON(EINVAL, "no hash page table has such an order: it is a number from 18 to 46"),
	REASON(EPERM, "the hypervisor does not let you have such an order, or you are not root"),
	REASON(EACCES, "you are not root"),
	REASON(ENOMEM, "the hypervisor has no memory for such a table"),
	REASON(ENOSPC, "too small: entries that the kernel needs at all times do not fit"),
	REASON(EINTR, "interrupted; the table is what it was"),
	REASON(ETIMEDOUT, "the hypervisor was not ready within timeout_ms"),
	REASON(EBUSY, "not now: the guest is being migrated, or hcalls are traced (see dmesg)"),
	REASON(ENODEV, "the hypervisor no longer resizes, or the module is being removed"),
	REASON(EIO, "the switch failed several times in a row; dmesg has the answer"),
	REASON(ENOENT, "pseries-hpt is not inserted; if it does not load, dmesg says why"),
};

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static const struct reason *find_reason(int err)
{
	size_t i;

	for (i = 0; i < COUNT(reasons); i++)
		if (reasons[i].err == err)
			return &reasons[i];
	return NULL;
}

static int open_file(const char *name, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return open(path, flags | O_CLOEXEC);
}

/* From the beginning, as is to be done before each poll(). */
static bool read_fd(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	text[len < 0 ? 0 : len] = 0;
	return len >= 0;
}

static bool read_text(const char *name, char *text, size_t size)
{
	int fd = open_file(name, O_RDONLY);
	bool ok = fd >= 0 && read_fd(fd, text, size);

	if (fd >= 0)
		close(fd);
	if (!ok)
		text[0] = 0;
	text[strcspn(text, "\n")] = 0;
	return ok;
}

static unsigned long long read_number(const char *name)
{
	char text[32];

	return read_text(name, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

/* Without what the kernel has reserved for itself at boot, so it is rounded up. */
static unsigned long long memory_bytes(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static unsigned int recommended_order(void)
{
	unsigned long long memory = memory_bytes();
	unsigned int shift = ORDER_MIN + MEMORY_PER_HPT_SHIFT;

	while (shift < ORDER_MAX + MEMORY_PER_HPT_SHIFT && 1ULL << shift < memory)
		shift++;
	return shift - MEMORY_PER_HPT_SHIFT;
}

/* At most one digit behind the point, and the unit. */
static const char *human(unsigned long long bytes, char *text, size_t size)
{
	static const char * const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = bytes;
	unsigned int i;

	for (i = 0; value >= 1024 && i < COUNT(units) - 1; i++)
		value /= 1024;
	snprintf(text, size, value < 10 && i ? "%.1f %s" : "%.0f %s", value, units[i]);
	return text;
}

/* A kernel that is not loaded neither fits nor does not. */
static void read_image(const char *file, const char *loaded, char *text, size_t size)
{
	char path[64], number[8] = "";
	int fd;

	read_text(file, text, size);
	snprintf(path, sizeof(path), "/sys/kernel/%s", loaded);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read_fd(fd, number, sizeof(number)) && number[0] == '0')
		snprintf(text, size, "none");
	close(fd);
}

static void show(const char *prefix)
{
	char state[32], image[32], crash[32], size[32], memory[32];
	unsigned int order = read_number("order"), recommended = recommended_order();

	read_text("state", state, sizeof(state));
	read_image("kexec_image", "kexec_loaded", image, sizeof(image));
	read_image("kexec_crash_image", "kexec_crash_loaded", crash, sizeof(crash));
	if (json) {
		printf("{%s\"order\":%u,\"bytes\":%llu,", prefix, order, 1ULL << order);
		printf("\"memory_bytes\":%llu,\"recommended_order\":%u,", memory_bytes(),
		       recommended);
		printf("\"state\":\"%s\",\"last_prepare_us\":%llu,\"last_commit_us\":%llu,",
		       state, read_number("last_prepare_us"), read_number("last_commit_us"));
		printf("\"kexec_image\":\"%s\",\"kexec_crash_image\":\"%s\"}\n", image,
		       crash);
		return;
	}

	printf("order         %u (%s)\n", order, human(1ULL << order, size, sizeof(size)));
	printf("memory        %s\n", human(memory_bytes(), memory, sizeof(memory)));
	printf("recommended   %u (%s)\n", recommended,
	       human(1ULL << recommended, size, sizeof(size)));
	printf("state         %s\n", state);
	printf("kexec kernel  %s\ncrash kernel  %s\n", image, crash);
	if (!strcmp(crash, "stale"))
		puts("              load the crash kernel again: until then there is no dump");
}

static int fail(int err)
{
	const struct reason *reason = find_reason(err);
	const char *text = reason ? reason->text : strerror(err);

	if (json)
		printf("{\"error\":\"%s\",\"errno\":%d,\"message\":\"%s\"}\n",
		       reason ? reason->name : "", err, text);
	else
		fprintf(stderr, "hpt-resize: %s%s%s\n", reason ? reason->name : "",
			reason ? ": " : "", text);
	return STATUS_FAILED;
}

static void interrupted(int sig)
{
	(void)sig;
}

/*
 * Ends with the errno, 0 for success. A signal that ends the parent ends the resize: who
 * sends it has the parent's PID only.
 */
static void write_order(unsigned int order, pid_t parent)
{
	/* Without SA_RESTART: to be told. */
	struct sigaction action = { .sa_handler = interrupted };
	char text[16];
	int fd, len;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EINTR);
	fd = open_file("order", O_WRONLY);
	if (fd < 0)
		_exit(errno);
	len = snprintf(text, sizeof(text), "%u\n", order);
	_exit(write(fd, text, len) < 0 ? errno : 0);
}

static bool field(const char *text, const char *name, unsigned long long *value)
{
	const char *at = strstr(text, name);

	return at && sscanf(at + strlen(name), " %llu", value) == 1;
}

/*
 * The hypervisor advises to wait for as long as it takes, rounded down to a power of ten:
 * so it takes some three times as long. The bar does not go back, nor is it full before
 * the end.
 */
static void draw(const char *text)
{
	static unsigned int before;
	unsigned long long elapsed, hint;
	unsigned int done = 0, i;

	if (field(text, "elapsed_ms", &elapsed) && field(text, "hint_ms", &hint) && hint)
		done = BAR_WIDTH * elapsed / (elapsed + 3 * hint);
	else
		elapsed = 0;
	if (done < before)
		done = before;
	before = done;

	fputs("\r[", stderr);
	for (i = 0; i < BAR_WIDTH; i++)
		fputc(i < done ? '#' : ' ', stderr);
	fprintf(stderr, "] %llu.%llu s", elapsed / 1000, elapsed / 100 % 10);
}

/* Until the writer ends: its status. */
static int watch(pid_t writer, bool bar)
{
	struct pollfd progress = {
		.fd = open_file("progress", O_RDONLY),
		.events = POLLPRI,
	};
	char text[128];
	int status;

	while (waitpid(writer, &status, bar ? WNOHANG : 0) == 0) {
		if (read_fd(progress.fd, text, sizeof(text)) && text[0])
			draw(text);
		poll(&progress, progress.fd >= 0, 100);
	}
	if (progress.fd >= 0)
		close(progress.fd);
	if (bar)
		fputs("\r\033[K", stderr);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int resize(unsigned int order, bool quiet)
{
	unsigned int from = read_number("order");
	char result[64];
	pid_t parent = getpid(), writer;
	int err;

	fflush(stdout);
	/* The writer takes it; we stay to tell. */
	signal(SIGINT, SIG_IGN);
	writer = fork();
	if (writer == 0)
		write_order(order, parent);
	err = writer < 0 ? errno :
			   watch(writer, !quiet && !json && isatty(STDERR_FILENO));
	if (err)
		return fail(err);

	if (json) {
		snprintf(result, sizeof(result), "\"from\":%u,", from);
		show(result);
	} else if (!quiet && order == from) {
		printf("the order is %u already\n", order);
	} else if (!quiet) {
		printf("order %u, was %u: prepared in %llu us, switched in %llu us\n",
		       order, from, read_number("last_prepare_us"),
		       read_number("last_commit_us"));
	}
	return 0;
}

static void print_usage(FILE *to)
{
	fputs("usage: hpt-resize [--json] [--quiet] [ORDER | +N | -N | recommended]\n", to);
}

/* False if it is none. What is no order at all is for the kernel to refuse. */
static bool parse_order(const char *text, unsigned int *order)
{
	unsigned long number;
	char *end;

	if (!strcmp(text, "recommended")) {
		*order = recommended_order();
		return true;
	}
	number = strtoul(text + (*text == '+' || *text == '-'), &end, 10);
	if (end == text || *end || strspn(text, "+-0123456789") != strlen(text) ||
	    number > 1000 || end[-1] < '0')
		return false;
	*order = number;
	if (*text == '+')
		*order = read_number("order") + number;
	if (*text == '-')
		*order = read_number("order") - number;
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *wanted = NULL;
	bool quiet = false;
	unsigned int order;
	struct stat st;
	int i, option;

	/* "-1" is no option. */
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			continue;
		if (argv[i][0] != '-' || (argv[i][1] >= '0' && argv[i][1] <= '9')) {
			if (wanted || i + 1 < argc) {
				print_usage(stderr);
				return STATUS_USAGE;
			}
			wanted = argv[i];
			argc--;
		}
	}
	while ((option = getopt_long(argc, argv, "jqh", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'h':
			print_usage(stdout);
			return 0;
		default:
			print_usage(stderr);
			return STATUS_USAGE;
		}
	}
	if (getenv("HPT_RESIZE_FOLDER"))
		folder = getenv("HPT_RESIZE_FOLDER");
	if (stat(folder, &st))
		return fail(ENOENT);
	if (!wanted) {
		show("");
		return 0;
	}
	if (!parse_order(wanted, &order)) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	return resize(order, quiet);
}
