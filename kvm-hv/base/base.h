/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The base: what all rooms stand on. It knows of none of them; others include this
 * header only.
 *
 * compat.h	what differs between kernels
 * vm.h		a VM, as all know it, and how it is found
 * gate.h	to take its vCPUs out of stock KVM
 * intercept.h	to have a hand in its HPT hcalls
 * detour.h	to have calls of KVM's functions come to us
 * pages.h	sizes of pages: arithmetic
 * hpte.h	words of an HPTE: arithmetic, in user space as well
 * hptes.h	HPTEs in a table: to read, write and lock them
 */
#ifndef KVM_HV_EXT_BASE_H
#define KVM_HV_EXT_BASE_H

#include "base/compat.h"
#include "base/detour.h"
#include "base/gate.h"
#include "base/hpte.h"
#include "base/hptes.h"
#include "base/intercept.h"
#include "base/pages.h"
#include "base/vm.h"

#endif /* KVM_HV_EXT_BASE_H */
