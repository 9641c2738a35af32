/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/* Ownership by scope: the only two words of it that the tree uses. */

#define NODISCARD __attribute__((warn_unused_result))

/* Beside a type's `_free`: lets a caller write AUTO(threshold) t = NULL; */
#define AUTO_DEFINE(type)                                                                          \
    static inline void type##_auto(struct type **object)                                           \
    {                                                                                              \
        type##_free(*object);                                                                      \
    }                                                                                              \
    struct type

/* Declares a pointer whose object is freed when the scope ends, unless MOVE took it. */
#define AUTO(type) __attribute__((cleanup(type##_auto))) struct type *

/* Hands over and leaves NULL behind. */
#define MOVE(pointer)                                                                              \
    (__extension__({                                                                               \
        __typeof__(pointer) moved_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        moved_;                                                                                    \
    }))

/* The object that embeds `member`, from a pointer to that member. */
#define CONTAINER_OF(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
