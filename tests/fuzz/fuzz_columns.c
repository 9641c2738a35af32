/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/columns.h"
#include "ingest/ingest.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct batch *b, struct text line)
{
    struct record *r = batch_add(b, line);
    if (!r)
        return;
    r->kind = RECORD_EVENT;
    r->peer = TEXT("p");
}

/* Headers and lines of one stream, in any order: fields are views of what came, no line becomes
 * more fields than its header has names (and two of ours), and state comes back as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(columns) c = columns_new();
    AUTO(columns) again = columns_new();
    AUTO(batch) b = batch_new();
    struct event e = {0};
    struct buffer saved[2];
    if (!c || !again || !b)
        return 0;
    struct text rest = {(const char *)data, size};
    struct text line;
    while (size && text_split(&rest, '\n', &line))
        put(b, line);
    columns_follow(c, b);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct record *r = &b->records[i];
        event_reset(&e, r);
        if (!r->columns.len || !columns_read(r->columns, r->raw, &b->arena, &e))
            continue;
        size_t names = 1;
        for (size_t k = 0; k < r->columns.len; k++)
            names += r->columns.at[k] == ' ' || r->columns.at[k] == '\t';
        assert(e.field_count <= names + 2);
    }
    buffer_init(&saved[0], 1 << 20);
    buffer_init(&saved[1], 1 << 20);
    columns_save(c, &saved[0]);
    bool is_back = columns_load(again, buffer_text(&saved[0]));
    columns_save(again, &saved[1]);
    assert(is_back && text_equal(buffer_text(&saved[0]), buffer_text(&saved[1])));
    (void)columns_load(again, (struct text){(const char *)data, size});
    buffer_fini(&saved[0]);
    buffer_fini(&saved[1]);
    event_fini(&e);
    return 0;
}
