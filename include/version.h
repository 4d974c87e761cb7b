/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place of the version. lab/lint sees to it that NEWS, README.md, dkms.conf and
 * the packages say the same.
 */
#ifndef KVM_HV_EXT_VERSION_H
#define KVM_HV_EXT_VERSION_H

#define KVM_HV_EXT_VERSION	"0.2"

#endif
