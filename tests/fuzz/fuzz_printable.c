/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_weight.h"
#include "base/json_write.h"
#include "base/printable.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Whatever comes: what is written for eyes has nothing in it that acts, and neither has JSON; what
 * was written once is written the same again. The weight of any bytes is at least theirs. */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void assert_visible(struct text t, bool has_lines)
{
    while (t.len) {
        unsigned point = 0;
        const size_t len = printable_hidden(t, &point);
        assert(!len || (has_lines && len == 1 && (point == '\n' || point == '\t')));
        const size_t step = text_utf8_len(t);
        assert(step);
        t = text_skip(t, step);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct buffer once, twice;
    char *copy = malloc(size ? size : 1);
    assert(copy);
    if (size)
        memcpy(copy, data, size);
    const struct text t = {copy, size};
    buffer_init(&once, 64 << 20);
    buffer_init(&twice, 64 << 20);
    printable_write(&once, t);
    assert_visible(buffer_text(&once), false);
    printable_write(&twice, buffer_text(&once));
    assert(text_equal(buffer_text(&once), buffer_text(&twice)));
    buffer_clear(&once);
    printable_lines(&once, t);
    assert_visible(buffer_text(&once), true);
    buffer_clear(&once);
    json_write_string(&once, NULL, t);
    assert_visible(buffer_text(&once), false);
    assert(json_weight_of(buffer_text(&once)).bytes >= once.len);
    assert(json_weight_of(t).depth <= size);
    const struct text found = json_weight_member(t, TEXT("a"));
    assert(!found.len || (found.at >= copy && found.at + found.len <= copy + size));
    buffer_fini(&once);
    buffer_fini(&twice);
    free(copy);
    return 0;
}
