/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arrays on the heap that double while a ruleset is compiled. */

/* The array with room for one more than `count` items, moved where it had to be; NULL without
 * memory: then the old one is as it was. */
void *grow_array(void *array, uint32_t count, uint32_t *max, size_t size);
/* The same as a statement: false without memory. */
#define GROW(array, count, max)                                                                    \
    (__extension__({                                                                               \
        void *grown_ = grow_array((array), (count), &(max), sizeof *(array));                      \
        if (grown_)                                                                                \
            (array) = grown_;                                                                      \
        grown_ != NULL;                                                                            \
    }))
