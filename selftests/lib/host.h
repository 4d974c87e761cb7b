/* SPDX-License-Identifier: GPL-2.0 */
/* The host around the VMs: its log, its memory, its modules, our knobs. */
#ifndef SELFTESTS_HOST_H
#define SELFTESTS_HOST_H

#include <stddef.h>

#include "kmsg.h"
#include "types.h"

void __noreturn __printf(1, 2) die(const char *fmt, ...);

unsigned long scaled(unsigned long count);
void counted(unsigned long n, const char *what);
unsigned int host_slower(void);
unsigned long long test_seed(void);
unsigned long long now_us(void);
void pause_us(unsigned long us);

unsigned long host_allow_idle(unsigned int cpu, unsigned long allow);

/* Memory that a resize takes, in KiB; each at rest when nothing runs. */
struct mem_use {
	long cma_free;		/* HPTs */
	long vmalloc_used;	/* reverse maps */
	long slab;		/* what cannot be reclaimed */
	long total;		/* all there is, and never another */
};

int file_write(const char *path, const char *text);
long file_number(const char *path);
bool file_set_number(const char *path, long value);

void mem_look(struct mem_use *use);
void mem_use(struct mem_use *use);
bool mem_returned(const struct mem_use *before, unsigned long ms);

/* Where nodes beside /dev/kvm are made. */
#define PROFILES	"/sys/module/kvm_hv_ext/parameters/profile"

const char *module_path(void);
bool module_loaded(void);
void module_params(char *text, size_t size);
long module_param(const char *name);
bool module_set_param(const char *name, long value);
int module_insert(const char *path, const char *params);
int module_remove(void);

/* The module as it was before a test took it out. */
struct module_away {
	bool was_loaded;
	char params[512];
};

const char *module_lacks(void);
int module_take_out(struct module_away *away);
int module_put_back(const struct module_away *away);

#endif /* SELFTESTS_HOST_H */
