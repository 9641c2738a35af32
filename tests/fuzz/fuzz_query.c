/* SPDX-License-Identifier: Apache-2.0 */
#include "console/query.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A query that passes the check gives values without NUL that are no longer than what was sent. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct text query = {(const char *)data, size};
    arena_init(&arena, 1 << 20);
    if (query_check(query, "a,bb,state", &arena, NULL) == STATUS_OK) {
        static const struct text names[] = {{"a", 1}, {"bb", 2}, {"state", 5}};
        for (size_t i = 0; i < 3; i++) {
            struct text value = query_get(query, names[i], &arena);
            assert(value.len <= size);
            assert(value.len == 0 || !memchr(value.at, '\0', value.len) ||
                   memchr(data, '\0', size));
        }
    }
    int64_t us = 0;
    if (query_time(query, "since", 0, 0, &us, NULL) == STATUS_OK && size == 0)
        assert(us == 0);
    arena_fini(&arena);
    return 0;
}
