// SPDX-License-Identifier: GPL-2.0
/*
 * Device nodes beside /dev/kvm, each with a profile for the VMs made through it.
 *
 * A VMM that knows nothing of this module can still be told which file to open
 * instead of /dev/kvm (QEMU: -accel kvm,device=PATH). So what a machine is to have can
 * be said on its command line, and where the node is missing the machine is refused,
 * not made without. Who may open a node is the node's own permissions.
 *
 * A node does all that /dev/kvm does, by KVM's own functions; no second file is opened,
 * as whoever may use the node need not have /dev/kvm, nor see it in its mount
 * namespace. Only KVM_CREATE_VM is more: KVM hands out the VM's descriptor before it
 * returns, and another thread may use it from then on. So the profile is given to the
 * VM while KVM makes it, in init_vm, which knows by the thread for which node it is.
 *
 * What a profile says is the VM's choice, as if its VMM had made it and cannot make
 * another, but for the strategy of resizes, which no guest can see. What it does not say
 * is left to the module's parameters, and to the VMM.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "core/node.h"
#include "core/ops.h"
#include "memory/memory.h"
#include "resize/resize.h"
#include "stop/stop.h"

#define HVX_NODE_PREFIX		"kvm-"
#define HVX_NODE_NAME_MAX	24

/* All of them are shown in the smallest page that there is. */
#define HVX_PROFILE_MAX		(HVX_NODE_NAME_MAX + 96)
#define HVX_PROFILES_MAX	32

struct hvx_profile {
	struct miscdevice misc;
	struct list_head entry;		/* in hvx_profiles */
	struct kref ref;		/* the list, and each open file */
	bool gone;			/* makes no more VMs */

	bool has_stop, has_shift, has_strategy;
	u64 stop;			/* KVM_PPC_GUEST_STOP_* */
	unsigned int shift;
	u64 strategy;			/* KVM_PPC_HPT_RESIZE_* */

	char node[sizeof(HVX_NODE_PREFIX) + HVX_NODE_NAME_MAX];
	char text[HVX_PROFILE_MAX + 1];	/* as it was written */
};

/*
 * Protects the list, and the two that follow. Taken with the lock of the module's
 * parameters held; the lock of misc devices is taken inside.
 */
static DEFINE_MUTEX(hvx_profiles_lock);
static LIST_HEAD(hvx_profiles);
/* KVM's, once there may be nodes: KVM stays for as long as KVM HV is held. */
static const struct file_operations *hvx_kvm_fops;
/* Parameters come before the module is initialised, and still after its exit. */
static enum { HVX_NODES_NOT_YET, HVX_NODES_LIVE, HVX_NODES_ENDED } hvx_nodes;

/* A KVM_CREATE_VM that came in by a node, on the stack of the thread that is in it. */
struct hvx_creation {
	struct list_head entry;
	struct task_struct *task;
	const struct hvx_profile *profile;
};

static DEFINE_SPINLOCK(hvx_creations_lock);	/* protects the list */
static LIST_HEAD(hvx_creations);

static void hvx_profile_release(struct kref *ref)
{
	kfree(container_of(ref, struct hvx_profile, ref));
}

typedef long (*hvx_ioctl_fn)(struct file *file, unsigned int ioctl,
			     unsigned long arg);

static long hvx_node_create_vm(struct file *file, unsigned long type,
			       hvx_ioctl_fn kvm_ioctl)
{
	struct hvx_profile *profile = file->private_data;
	struct hvx_creation creation = {
		.task = current,
		.profile = profile,
	};
	long ret;

	if (READ_ONCE(profile->gone))
		return -ENODEV;
	/* It would not come to init_vm. */
	if (type == KVM_VM_PPC_PR) {
		pr_warn_ratelimited("/dev/%s: no VM of KVM PR: profiles are for KVM HV\n",
				    profile->node);
		return -EOPNOTSUPP;
	}

	spin_lock(&hvx_creations_lock);
	list_add(&creation.entry, &hvx_creations);
	spin_unlock(&hvx_creations_lock);

	ret = kvm_ioctl(file, KVM_CREATE_VM, type);

	spin_lock(&hvx_creations_lock);
	list_del(&creation.entry);
	spin_unlock(&hvx_creations_lock);
	return ret;
}

static const struct hvx_profile *hvx_node_of_task(void)
{
	const struct hvx_profile *profile = NULL;
	struct hvx_creation *creation;

	/* If ours is among them nobody else takes it out. */
	if (list_empty(&hvx_creations))
		return NULL;

	spin_lock(&hvx_creations_lock);
	list_for_each_entry(creation, &hvx_creations, entry) {
		if (creation->task == current) {
			profile = creation->profile;
			break;
		}
	}
	spin_unlock(&hvx_creations_lock);
	return profile;
}

/**
 * hvx_node_vm() - give a VM the profile of the node that it is made through
 * @vm: the VM, being made by the current thread; nobody else knows it yet
 *
 * Return: 0, also if there is no node, or -EOPNOTSUPP with the reason in the log if
 * this host can never do what the profile says. Not -EINVAL, which QEMU takes for a
 * sign that KVM is not loaded.
 */
int hvx_node_vm(struct hvx_vm *vm)
{
	const struct hvx_profile *profile = hvx_node_of_task();

	if (!profile)
		return 0;

	if (profile->has_stop) {
		if (hvx_stop_enable(vm, profile->stop)) {
			pr_warn_ratelimited("/dev/%s: no VM: this CPU has no stop for guests\n",
					    profile->node);
			return -EOPNOTSUPP;
		}
		hvx_stop_seal(vm);
	}
	if (profile->has_shift) {
		if (profile->shift && hvx_guest_shift(profile->shift) >
				      hvx_limit_host_shift()) {
			pr_warn_ratelimited("/dev/%s: no VM: this host has no pages for hpt_max_page_shift=%u, at most for %u\n",
					    profile->node, profile->shift,
					    hvx_limit_host_shift());
			return -EOPNOTSUPP;
		}
		hvx_limit_preset(vm, profile->shift);
	}
	if (profile->has_strategy)
		hvx_strategy_choose(vm, profile->strategy);
	return 0;
}

/* Under the lock of misc devices, which deregistration takes, too. */
static int hvx_node_open(struct inode *inode, struct file *file)
{
	struct hvx_profile *profile =
		container_of(file->private_data, struct hvx_profile, misc);
	int ret = 0;

	if (hvx_kvm_fops->open)
		ret = hvx_kvm_fops->open(inode, file);
	if (ret)
		return ret;
	kref_get(&profile->ref);
	file->private_data = profile;
	return 0;
}

static int hvx_node_release(struct inode *inode, struct file *file)
{
	struct hvx_profile *profile = file->private_data;

	if (hvx_kvm_fops->release)
		hvx_kvm_fops->release(inode, file);
	kref_put(&profile->ref, hvx_profile_release);
	return 0;
}

static long hvx_node_ioctl(struct file *file, unsigned int ioctl,
			   unsigned long arg)
{
	if (ioctl == KVM_CREATE_VM)
		return hvx_node_create_vm(file, arg,
					  hvx_kvm_fops->unlocked_ioctl);
	return hvx_kvm_fops->unlocked_ioctl(file, ioctl, arg);
}

#ifdef CONFIG_COMPAT
static long hvx_node_compat_ioctl(struct file *file, unsigned int ioctl,
				  unsigned long arg)
{
	if (!hvx_kvm_fops->compat_ioctl)
		return -ENOIOCTLCMD;
	if (ioctl == KVM_CREATE_VM)
		return hvx_node_create_vm(file, arg,
					  hvx_kvm_fops->compat_ioctl);
	return hvx_kvm_fops->compat_ioctl(file, ioctl, arg);
}
#endif

/* An open file holds the module, and so what it calls. */
static const struct file_operations hvx_node_fops = {
	.owner = THIS_MODULE,
	.open = hvx_node_open,
	.release = hvx_node_release,
	.unlocked_ioctl = hvx_node_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = hvx_node_compat_ioctl,
#endif
	.llseek = noop_llseek,
};

static int hvx_node_make(struct hvx_profile *profile)
{
	struct file *kvm;
	int ret;

	if (!hvx_kvm_fops) {
		kvm = hvx_kvm_open();
		if (IS_ERR(kvm)) {
			pr_err("/dev/%s: no /dev/kvm to pass things on to (%ld)\n",
			       profile->node, PTR_ERR(kvm));
			return PTR_ERR(kvm);
		}
		hvx_kvm_fops = kvm->f_op;
		filp_close(kvm, NULL);
	}
	ret = misc_register(&profile->misc);
	if (ret)
		pr_err("/dev/%s cannot be made (%d)\n", profile->node, ret);
	return ret;
}

/* Takes it off the list; files that are open go on, but make no more VMs. */
static void hvx_profile_drop(struct hvx_profile *profile, bool made)
{
	if (made)
		misc_deregister(&profile->misc);
	WRITE_ONCE(profile->gone, true);
	list_del(&profile->entry);
	kref_put(&profile->ref, hvx_profile_release);
}

static struct hvx_profile *hvx_profile_find(const char *name)
{
	struct hvx_profile *profile;

	list_for_each_entry(profile, &hvx_profiles, entry) {
		if (!strcmp(profile->node + strlen(HVX_NODE_PREFIX), name))
			return profile;
	}
	return NULL;
}

/* One NAME=VALUE, each name once and as the module's parameter of that name takes it. */
static int hvx_profile_word(struct hvx_profile *profile, char *word)
{
	const char *name = strsep(&word, "=");
	bool *has;
	long got;

	if (!word)
		return -EINVAL;
	if (!strcmp(name, "guest_stop")) {
		has = &profile->has_stop;
		got = hvx_stop_parse(word);
		profile->stop = got;
	} else if (!strcmp(name, "hpt_max_page_shift")) {
		has = &profile->has_shift;
		got = hvx_limit_parse(word);
		profile->shift = got;
	} else if (!strcmp(name, "resize_strategy")) {
		has = &profile->has_strategy;
		got = hvx_strategy_parse(word);
		profile->strategy = got;
	} else {
		return -EINVAL;
	}
	if (got < 0 || *has)
		return -EINVAL;
	*has = true;
	return 0;
}

static int hvx_profile_parse(struct hvx_profile *profile, char *text)
{
	char *word, *name = strsep(&text, ",");
	size_t len = strlen(name);
	int ret;

	/* It becomes a file's name. */
	if (!len || len > HVX_NODE_NAME_MAX || name[0] == '-' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len) {
		pr_err("profile: \"%s\" is not 1 to %u of a-z, 0-9 and -\n",
		       name, HVX_NODE_NAME_MAX);
		return -EINVAL;
	}
	snprintf(profile->node, sizeof(profile->node), HVX_NODE_PREFIX "%s",
		 name);
	while ((word = strsep(&text, ","))) {
		ret = hvx_profile_word(profile, word);
		if (ret) {
			pr_err("profile %s: there is no \"%s\", or no such value, or it is there twice\n",
			       name, word);
			return ret;
		}
	}
	return 0;
}

static int hvx_profile_add(const char *text)
{
	struct hvx_profile *profile, *other;
	unsigned int n = 0;
	char *copy;
	int ret;

	if (strlen(text) > HVX_PROFILE_MAX)
		return -EINVAL;
	profile = kzalloc(sizeof(*profile), GFP_KERNEL);
	copy = kstrdup(text, GFP_KERNEL);
	ret = -ENOMEM;
	if (!profile || !copy)
		goto err;

	kref_init(&profile->ref);
	strscpy(profile->text, text, sizeof(profile->text));
	profile->misc.minor = MISC_DYNAMIC_MINOR;
	profile->misc.name = profile->node;
	profile->misc.fops = &hvx_node_fops;
	ret = hvx_profile_parse(profile, copy);
	if (ret)
		goto err;

	list_for_each_entry(other, &hvx_profiles, entry) {
		n++;
		ret = -EEXIST;
		if (!strcmp(other->node, profile->node))
			goto err;
	}
	ret = -ENOSPC;
	if (n >= HVX_PROFILES_MAX)
		goto err;
	if (hvx_nodes == HVX_NODES_LIVE) {
		ret = hvx_node_make(profile);
		if (ret)
			goto err;
	}
	list_add_tail(&profile->entry, &hvx_profiles);
	kfree(copy);
	return 0;

err:
	kfree(copy);
	kfree(profile);
	return ret;
}

static int hvx_profile_set(const char *val, const struct kernel_param *kp)
{
	char *text = kstrdup(val, GFP_KERNEL), *trimmed;
	struct hvx_profile *old;
	int ret = 0;

	if (!text)
		return -ENOMEM;
	trimmed = strim(text);

	mutex_lock(&hvx_profiles_lock);
	if (hvx_nodes == HVX_NODES_ENDED) {
		ret = -ENODEV;
	} else if (trimmed[0] && trimmed[0] != '-') {
		ret = hvx_profile_add(trimmed);
	} else if (trimmed[0]) {
		old = hvx_profile_find(trimmed + 1);
		if (old)
			hvx_profile_drop(old, hvx_nodes == HVX_NODES_LIVE);
		else
			ret = -ENOENT;
	}
	mutex_unlock(&hvx_profiles_lock);
	kfree(text);
	return ret;
}

static int hvx_profile_get(char *buf, const struct kernel_param *kp)
{
	struct hvx_profile *profile;
	int len = 0;

	mutex_lock(&hvx_profiles_lock);
	list_for_each_entry(profile, &hvx_profiles, entry)
		len += sysfs_emit_at(buf, len, "%s\n", profile->text);
	mutex_unlock(&hvx_profiles_lock);
	return len;
}

/* When the module goes, or did not come: nodes there are none, perhaps profiles. */
static void hvx_profile_free(void *unused)
{
	struct hvx_profile *profile, *next;

	list_for_each_entry_safe(profile, next, &hvx_profiles, entry)
		hvx_profile_drop(profile, false);
}

static const struct kernel_param_ops hvx_profile_ops = {
	.set = hvx_profile_set,
	.get = hvx_profile_get,
	.free = hvx_profile_free,
};

module_param_cb(profile, &hvx_profile_ops, NULL, 0644);
MODULE_PARM_DESC(profile,
		 "NAME[,guest_stop=...][,hpt_max_page_shift=...][,resize_strategy=...]: /dev/kvm-NAME, for VMs that are to have this; may be given several times; -NAME takes one away");

/**
 * hvx_nodes_begin() - make the nodes of the profiles there are, and of those to come
 *
 * One that cannot be made is left out, with the reason in the log: whoever asks for
 * it is refused by its absence.
 *
 * Context: may sleep; VMs made from now on come to hvx_node_vm().
 */
void hvx_nodes_begin(void)
{
	struct hvx_profile *profile, *next;

	mutex_lock(&hvx_profiles_lock);
	list_for_each_entry_safe(profile, next, &hvx_profiles, entry) {
		if (hvx_node_make(profile))
			hvx_profile_drop(profile, false);
	}
	hvx_nodes = HVX_NODES_LIVE;
	mutex_unlock(&hvx_profiles_lock);
}

/**
 * hvx_nodes_end() - take all nodes away
 *
 * Context: may sleep; no node is open, as that would hold the module.
 */
void hvx_nodes_end(void)
{
	struct hvx_profile *profile, *next;

	mutex_lock(&hvx_profiles_lock);
	list_for_each_entry_safe(profile, next, &hvx_profiles, entry)
		hvx_profile_drop(profile, true);
	hvx_nodes = HVX_NODES_ENDED;
	mutex_unlock(&hvx_profiles_lock);
}
