/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sizes of an HPT guest's pages.
 */
#ifndef KVM_HV_EXT_PAGES_H
#define KVM_HV_EXT_PAGES_H

/* KVM HV has nothing larger for guests: 16M. */
#define HVX_GUEST_SHIFT_MAX	24U

/**
 * hvx_guest_shift() - the largest page of an HPT guest within a limit
 * @shift: the limit, 12 or more
 *
 * Hash mode has pages of 4k, 64k, 16M and 16G (Power ISA v3.0B Book III 5.7.7).
 *
 * Return: the shift of one of these.
 */
static inline unsigned int hvx_guest_shift(unsigned int shift)
{
	if (shift >= 34)
		return 34;
	if (shift >= 24)
		return 24;
	if (shift >= 16)
		return 16;
	return 12;
}

#endif /* KVM_HV_EXT_PAGES_H */
