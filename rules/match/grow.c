/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/grow.h"
#include <stdlib.h>

void *grow_array(void *array, uint32_t count, uint32_t *max, size_t size)
{
    if (count < *max)
        return array;
    uint32_t want = *max ? *max * 2 : 16;
    if (want <= *max)
        return NULL;
    void *bigger = reallocarray(array, want, size);
    if (bigger)
        *max = want;
    return bigger;
}
