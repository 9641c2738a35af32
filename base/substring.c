/* SPDX-License-Identifier: Apache-2.0 */
#include "base/substring.h"

size_t substring_find(struct text t, struct text needle)
{
    size_t last = needle.len - 1;
    if (!needle.len || needle.len > t.len)
        return needle.len ? t.len : 0;
    substring_lanes begin = substring_fill((unsigned char)needle.at[0]);
    substring_lanes end = substring_fill((unsigned char)needle.at[last]);
    size_t places = t.len - last;
    size_t i = 0;
    for (; i + 16 <= places; i += 16) {
        substring_lanes both = substring_equal(substring_load(t.at + i), begin) &
                               substring_equal(substring_load(t.at + i + last), end);
        if (!substring_is_any(both))
            continue;
        for (size_t k = 0; k < 16; k++)
            if (both[k] && memcmp(t.at + i + k, needle.at, needle.len) == 0)
                return i + k;
    }
    for (; i < places; i++)
        if (t.at[i] == needle.at[0] && memcmp(t.at + i, needle.at, needle.len) == 0)
            return i;
    return t.len;
}
