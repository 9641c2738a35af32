/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/json_parts.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The first byte is how many parts there may be. Counting and giving agree, no more parts than
 * that, and what is worth splitting is seen at the first look. */

struct seen {
    uint32_t count;
    uint64_t sum;
};

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static bool see(void *context, struct text part)
{
    struct seen *s = context;
    s->count++;
    for (size_t i = 0; i < part.len; i++) /* a sanitizer sees a view that is not one */
        s->sum += (unsigned char)part.at[i];
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    char *copy = malloc(size);
    struct buffer scratch;
    struct seen seen = {0};
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    buffer_init(&scratch, 1 << 20);
    const struct text message = {copy + 1, size - 1};
    const uint32_t most = data[0] % 16 + 1U;
    const uint32_t count = json_parts_walk(message, most, &scratch, see, &seen);
    check(count == seen.count && count <= most);
    check(json_parts_walk(message, most, &scratch, NULL, NULL) == count);
    check(!count || json_parts_may_be(message));
    buffer_fini(&scratch);
    free(copy);
    return 0;
}
