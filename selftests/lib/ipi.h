/* SPDX-License-Identifier: GPL-2.0 */
/*
 * IPIs between vCPUs, by either of KVM's interrupt controllers. By XICS to send
 * one takes an hcall; by XIVE a store, as guests on POWER9 and later do, and KVM
 * has no part in it unless the receiver is out of the guest.
 */
#ifndef SELFTESTS_IPI_H
#define SELFTESTS_IPI_H

#include "vmm.h"

enum ipi_by { IPI_NONE, IPI_XICS, IPI_XIVE };

const char *vm_add_ipis(struct vm *vm, enum ipi_by by);

/* In the guest; vCPUs by their index: */
void guest_ipi_begin(void);
void guest_ipi_send(u64 to);
bool guest_ipi_end(u64 self);

#endif /* SELFTESTS_IPI_H */
