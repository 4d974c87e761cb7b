// SPDX-License-Identifier: GPL-2.0
/* Somewhere to swap to: in compressed memory, as there may be no disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "host.h"
#include "swap.h"

#define ZRAM_CONTROL	"/sys/class/zram-control/"

/* The first page of swap space, as mkswap writes it. */
#define SWAP_VERSION	1024
#define SWAP_LAST_PAGE	1028
#define SWAP_MAGIC	"SWAPSPACE2"

static char device[32];		/* ours, if we have made one */
static int device_nr;

static bool swap_there(void)
{
	char line[256];
	FILE *f = fopen("/proc/swaps", "r");
	bool there = false;

	if (!f)
		return false;
	/* The first line is the heading. */
	if (fgets(line, sizeof(line), f))
		there = fgets(line, sizeof(line), f);
	fclose(f);
	return there;
}

static bool format(unsigned long bytes)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	u32 version = 1, last_page = bytes / page - 1;
	char *head = calloc(1, page);
	int fd = open(device, O_WRONLY);
	bool done;

	memcpy(head + SWAP_VERSION, &version, sizeof(version));
	memcpy(head + SWAP_LAST_PAGE, &last_page, sizeof(last_page));
	memcpy(head + page - strlen(SWAP_MAGIC), SWAP_MAGIC, strlen(SWAP_MAGIC));
	done = fd >= 0 && write(fd, head, page) == (ssize_t)page && !fsync(fd);
	close(fd);
	free(head);
	return done;
}

static int add_device(void)
{
	FILE *f = fopen(ZRAM_CONTROL "hot_add", "r");
	int nr = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &nr) != 1)
		nr = -1;
	fclose(f);
	return nr;
}

/**
 * swap_begin() - see that the host can swap
 * @bytes: what is to be swapped
 *
 * Return: NULL if so, else why not; swap_end() undoes it.
 */
const char *swap_begin(unsigned long bytes)
{
	char path[64];

	device[0] = 0;
	if (swap_there())
		return NULL;
	if (access(ZRAM_CONTROL, F_OK) && system("modprobe -q zram 2>/dev/null"))
		return "no swap space, and this kernel has no zram";
	device_nr = add_device();
	if (device_nr < 0)
		return "no swap space, and zram gives no device";
	snprintf(device, sizeof(device), "/dev/zram%d", device_nr);
	snprintf(path, sizeof(path), "/sys/block/zram%d/disksize", device_nr);
	if (file_set_number(path, bytes) && format(bytes) && !swapon(device, 0))
		return NULL;
	swap_end();
	return "no swap space, and none can be made in zram";
}

/**
 * swap_end() - the host swaps as it did before
 */
void swap_end(void)
{
	if (!device[0])
		return;
	swapoff(device);
	device[0] = 0;
	file_set_number(ZRAM_CONTROL "hot_remove", device_nr);
}
