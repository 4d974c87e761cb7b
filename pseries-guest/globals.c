// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's variables that hold the size of the hash page table.
 *
 * Three of them say the same thing in different units, and code all over the
 * kernel trusts them: the hash fault path, memory hotplug (which decides from
 * the size whether to resize), kexec, the hpt_order file in debugfs. A resize
 * has to keep all three right, but only htab_hash_mask is exported.
 *
 * The other two are found by name in the kernel's symbol table. Its lookup
 * function is not exported either, but a kprobe may be placed on it by name,
 * and then tells its address. (A kprobe cannot do the same for the variables
 * themselves: it takes nothing but code.) Nothing found this way is believed
 * before it was compared with what is known otherwise.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <asm/book3s/64/mmu-hash.h>

#include "pseries-hpt.h"

typedef unsigned long (*lookup_fn)(const char *name);

struct hpt_globals hpt_globals __ro_after_init;

/* A group (PTEG) is 8 entries of 16 bytes. */
#define PTEG_SHIFT	7

/**
 * hpt_order() - size of the HPT that this kernel is using now
 *
 * Taken from the mask that the hash fault path itself uses, so that it is
 * right however the size came about: boot, this module, memory hotplug or
 * the kernel's own hpt_order file.
 *
 * Context: any.
 * Return: log2 of the size in bytes.
 */
unsigned int hpt_order(void)
{
	return ilog2(READ_ONCE(htab_hash_mask) + 1) + PTEG_SHIFT;
}

/*
 * Where kallsyms_lookup_name() begins, or NULL.
 *
 * The address in a kprobe is that of the probed instruction. This is the local
 * entry point or the ftrace site, some instructions into the function, whereas
 * a call through a pointer must go to the global entry point: only that one
 * sets up the kernel's TOC pointer. The symbol table knows the distance.
 */
static lookup_fn __init find_lookup(void)
{
	struct kprobe kp = {
		.symbol_name = "kallsyms_lookup_name",
		.flags = KPROBE_FLAG_DISABLED,
	};
	char sym[KSYM_SYMBOL_LEN];
	unsigned long addr, offset;
	const char *plus;
	int ret;

	ret = register_kprobe(&kp);
	if (ret) {
		pr_err("not loaded: no kprobe on kallsyms_lookup_name (error %d)\n",
		       ret);
		return NULL;
	}
	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);

	/* "kallsyms_lookup_name+0xc/0x1a0" */
	sprint_symbol(sym, addr);
	plus = strchr(sym, '+');
	if (!strstarts(sym, "kallsyms_lookup_name+") ||
	    sscanf(plus, "+0x%lx/", &offset) != 1) {
		pr_err("not loaded: cannot tell where kallsyms_lookup_name begins (%s)\n",
		       sym);
		return NULL;
	}

	return (lookup_fn)(addr - offset);
}

/**
 * hpt_globals_find() - fill in hpt_globals
 *
 * Nothing is written to the variables here; they are only compared with each
 * other and with the exported mask. Disagreement means that this kernel keeps
 * the size in a way this module does not know, and must not touch.
 *
 * Context: process context, at load.
 * Return: 0, or -ENODEV after saying in the log what is missing.
 */
int __init hpt_globals_find(void)
{
	struct hpt_globals found;
	unsigned long mask;
	lookup_fn lookup;

	lookup = find_lookup();
	if (!lookup)
		return -ENODEV;

	if (lookup("htab_hash_mask") != (unsigned long)&htab_hash_mask) {
		pr_err("not loaded: the symbol table holds no variables (CONFIG_KALLSYMS_ALL)\n");
		return -ENODEV;
	}

	found.pft_size = (u64 *)lookup("ppc64_pft_size");
	found.size_bytes = (unsigned long *)lookup("htab_size_bytes");
	if (!found.pft_size || !found.size_bytes) {
		pr_err("not loaded: this kernel has no %s\n",
		       found.pft_size ? "htab_size_bytes" : "ppc64_pft_size");
		return -ENODEV;
	}

	mask = READ_ONCE(htab_hash_mask);
	if (*found.pft_size < HPT_ORDER_MIN ||
	    *found.pft_size > HPT_ORDER_MAX ||
	    *found.size_bytes != 1UL << *found.pft_size ||
	    mask != (*found.size_bytes >> PTEG_SHIFT) - 1) {
		pr_err("not loaded: the kernel's sizes of the hash page table disagree (order %llu, %lu bytes, mask 0x%lx)\n",
		       *found.pft_size, *found.size_bytes, mask);
		return -ENODEV;
	}

	hpt_globals = found;
	return 0;
}
