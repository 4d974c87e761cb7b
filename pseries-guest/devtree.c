// SPDX-License-Identifier: GPL-2.0
/*
 * The order of the HPT in the device tree, where the kernel that kexec starts reads it.
 *
 * Each CPU's node has ibm,pft-size: two cells, the second of which is the order. The
 * kernel leaves there what the hypervisor wrote at boot, and so the next kernel would
 * take the present HPT for one of another size, place its entries where the hardware does
 * not look, and die before it can say so. kexec_load() gets its tree from kexec-tools,
 * which read /proc/device-tree; kexec_file_load() makes one of the kernel's: both come
 * from here.
 *
 * A property that is replaced stays allocated for as long as its node does, for those who
 * hold a pointer to it. So the first change puts in one that is ours, and the next ones
 * write to that: the cell is aligned, and nobody sees the half of it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/of.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pseries-hpt.h"

#define PFT_SIZE	"ibm,pft-size"

static __be32 *order_cell(const struct property *prop)
{
	return (__be32 *)prop->value + 1;
}

static struct property *find_property(const struct device_node *cpu)
{
	int len;
	struct property *prop = of_find_property(cpu, PFT_SIZE, &len);

	return prop && len == 2 * sizeof(__be32) ? prop : NULL;
}

/* All three by themselves, as who releases a node frees them. */
static struct property *copy_property(const struct property *old)
{
	struct property *prop = kzalloc(sizeof(*prop), GFP_KERNEL);

	if (!prop)
		return NULL;
	prop->name = kstrdup(old->name, GFP_KERNEL);
	prop->value = kmemdup(old->value, old->length, GFP_KERNEL);
	prop->length = old->length;
	of_property_set_flag(prop, OF_DYNAMIC);
	if (prop->name && prop->value)
		return prop;

	kfree(prop->name);
	kfree(prop->value);
	kfree(prop);
	return NULL;
}

/* After a failure to apply it the tree may know the property: it stays. */
static int replace_property(struct device_node *cpu, const struct property *old,
			    unsigned int order)
{
	struct property *prop = copy_property(old);
	struct of_changeset change;
	int ret;

	if (!prop)
		return -ENOMEM;

	*order_cell(prop) = cpu_to_be32(order);
	of_changeset_init(&change);
	ret = of_changeset_update_property(&change, cpu, prop);
	if (ret) {
		kfree(prop->name);
		kfree(prop->value);
		kfree(prop);
	} else {
		ret = of_changeset_apply(&change);
	}
	of_changeset_destroy(&change);
	return ret;
}

static int set_order(struct device_node *cpu, unsigned int order)
{
	struct property *prop = find_property(cpu);

	if (!prop || be32_to_cpu(READ_ONCE(*order_cell(prop))) == order)
		return 0;
	if (!of_property_check_flag(prop, OF_DYNAMIC))
		return replace_property(cpu, prop, order);

	WRITE_ONCE(*order_cell(prop), cpu_to_be32(order));
	return 0;
}

/**
 * hpt_devtree_order() - the order that the device tree has
 *
 * Context: process context.
 * Return: log2 of the size in bytes, 0 if the CPUs' nodes do not agree or have none.
 */
unsigned int hpt_devtree_order(void)
{
	unsigned int order, first = 0;
	struct device_node *cpu;
	struct property *prop;

	for_each_of_cpu_node(cpu) {
		prop = find_property(cpu);
		if (!prop)
			continue;
		order = be32_to_cpu(READ_ONCE(*order_cell(prop)));
		if (first && order != first) {
			of_node_put(cpu);
			return 0;
		}
		first = order;
	}

	return first;
}

/**
 * hpt_devtree_set() - have the device tree say another order
 * @order: log2 of the size in bytes
 *
 * Calls must not overlap.
 *
 * Context: process context, sleeps.
 */
void hpt_devtree_set(unsigned int order)
{
	struct device_node *cpu;
	int ret;

	for_each_of_cpu_node(cpu) {
		ret = set_order(cpu, order);
		if (ret)
			pr_warn("%pOF: no kexec until the next resize: order not set (error %d)\n",
				cpu, ret);
	}
}
