/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's names for integers, in user space. */
#ifndef SELFTESTS_TYPES_H
#define SELFTESTS_TYPES_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#ifndef BIT
#define BIT(nr)		(1ul << (nr))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#ifndef BIT_ULL
#define BIT_ULL(nr)	(1ull << (nr))
#endif

#ifndef __noreturn
#define __noreturn	__attribute__((noreturn))
#endif

#ifndef __packed
#define __packed	__attribute__((packed))
#endif

#ifndef __aligned
#define __aligned(x)	__attribute__((aligned(x)))
#endif

#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif

#endif /* SELFTESTS_TYPES_H */
