/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp_pattern.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first line is a pattern, the rest a time. A pattern without fault reads the same twice,
 * within the years there are, and blanks around the time change nothing. */

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 2);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    copy[size] = ' ';
    const struct text all = {copy, size};
    const size_t line = text_find_byte(all, '\n');
    const struct text pattern = text_head(all, line);
    const struct text time = text_skip(all, line + 1);
    if (!stamp_pattern_fault(pattern)) {
        struct stamp_reader r = {.near_us = INT64_C(1391688000000000), .zone_s = 3600};
        struct stamp first = {0};
        struct stamp again = {0};
        const struct text padded = {time.at, time.len + (time.at + time.len == copy + size)};
        if (stamp_pattern_read(&r, pattern, time, &first)) {
            check(first.us > INT64_C(-62200000000000000));
            check(stamp_pattern_read(&r, pattern, padded, &again) && again.us == first.us);
        }
        (void)stamp_read_since(time, 1000, &again);
    }
    free(copy);
    return 0;
}
