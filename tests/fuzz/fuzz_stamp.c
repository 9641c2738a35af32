/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"
#include "base/timestamp.h"
#include <stdint.h>
#include <stdlib.h>

/*
 * A time takes no more bytes than there are; what follows it does not change it, but for what may
 * belong to it (a year, a zone, AM and PM); the day that is remembered gives what a fresh reader
 * gives.
 */

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static const struct stamp_reader fresh = {.zone_s = 3600, .near_us = INT64_C(1391688000000000)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text t = {(const char *)data, size};
    struct stamp_reader used = fresh;
    struct stamp_reader other = fresh;
    struct stamp first;
    struct stamp again;
    bool is_time = stamp_read(&used, t, &first);
    if (is_time) {
        check(first.len > 0 && first.len <= size);
        check(first.us > INT64_C(-62200000000000000) && first.us < INT64_C(253500000000000000));
        check(stamp_read(&used, t, &again) && again.us == first.us && again.len == first.len);
        check(stamp_read(&other, text_head(t, first.len), &again) && again.us == first.us);
    }
    for (size_t i = 1; i < size && i < 64; i++) { /* many days through one reader */
        struct stamp_reader alone = fresh;
        struct text rest = text_skip(t, i);
        is_time = stamp_read(&used, rest, &first);
        check(stamp_read(&alone, rest, &again) == is_time);
        check(!is_time || again.us == first.us);
        (void)stamp_read_whole(&used, rest, &first);
    }
    return 0;
}
