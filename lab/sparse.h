/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the headers of newer kernels use and sparse 0.6.4 (Debian 12 and 13) does not
 * know, for lab/build --check. The compiler does not see this.
 */

/* Linux 7.0 on: refuses to run sparse without it. */
#define __typeof_unqual__	__typeof__

/* MODULE_INFO() asserts that it has no NUL inside: not a constant to sparse. */
#define __builtin_strlen(s)	(sizeof(s) - 1)
