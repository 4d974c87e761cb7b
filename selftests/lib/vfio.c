// SPDX-License-Identifier: GPL-2.0
/* Devices that are assigned by VFIO, as KVM is told of them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vfio.h"

/**
 * vfio_open_group() - any group of devices that has been bound to vfio-pci
 *
 * Return: a descriptor, or a negative number if there is none.
 */
int vfio_open_group(void)
{
	struct dirent *entry;
	char path[512];
	int fd = -1;
	DIR *dir;

	dir = opendir("/dev/vfio");
	if (!dir)
		return -1;
	while (fd < 0) {
		entry = readdir(dir);
		if (!entry)
			break;
		snprintf(path, sizeof(path), "/dev/vfio/%s", entry->d_name);
		if (strspn(entry->d_name, "0123456789"))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	closedir(dir);
	return fd;
}

/**
 * vfio_attr() - tell KVM of a group
 * @dev: KVM's pseudo device
 * @attr: KVM_DEV_VFIO_GROUP_ADD or _DEL
 * @group: its descriptor
 *
 * Return: 0 or a negative errno.
 */
int vfio_attr(int dev, u64 attr, int group)
{
	struct kvm_device_attr arg = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = attr,
		.addr = (unsigned long)&group,
	};

	return ioctl(dev, KVM_SET_DEVICE_ATTR, &arg) ? -errno : 0;
}

/**
 * vfio_no_table() - do as QEMU does after it has added a group
 * @dev: KVM's pseudo device
 * @group: its descriptor
 *
 * KVM looks up the group's IOMMU, and warns when it has to clean up a group for
 * which nobody asked. There is no table to attach.
 */
void vfio_no_table(int dev, int group)
{
	struct kvm_vfio_spapr_tce param = { .groupfd = group, .tablefd = -1 };
	struct kvm_device_attr arg = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE,
		.addr = (unsigned long)&param,
	};

	ioctl(dev, KVM_SET_DEVICE_ATTR, &arg);
}
