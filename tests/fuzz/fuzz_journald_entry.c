/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"
#include "ingest/journald/journald_entry.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Fields of an entry, a 0xff between them. Whatever they hold, the header is one that our parser
 * takes for undamaged, the message stands at the end as it was, and nothing is longer than it may
 * be.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

static void check(const struct journald_entry *e, struct text raw, bool is_cut)
{
    const struct parser_options options = {.format = FORMAT_SYSLOG};
    struct record r = {.raw = raw};
    struct event event = {0};
    struct parser *p = NULL;
    struct arena arena;
    arena_init(&arena, 16 << 20);
    if (parser_new(&options, &p, NULL) == STATUS_OK) {
        parser_read(p, &r, &arena, &event);
        assert(is_cut || event.format != FORMAT_RFC3164); /* its text may be CEF */
        assert(is_cut || event.format != FORMAT_RFC5424 || !(event.flags & EVENT_HEADER_DAMAGED));
        assert(event.facility >= 0 && event.severity >= 0);
    }
    int message = e->roles[JOURNALD_MESSAGE];
    if (message >= 0 && !is_cut) {
        size_t skipped = e->fields[message].name_len + 1;
        struct text want = {e->bytes.at + e->fields[message].at + skipped,
                            e->fields[message].len - skipped};
        assert(text_ends(raw, want));
    }
    parser_free(p);
    event_fini(&event);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journald_entry e;
    struct buffer out;
    struct text wanted = TEXT("trusted");
    buffer_init(&out, 1 << 22);
    journald_entry_init(&e, (struct option_texts){&wanted, size % 2}, MOST);
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, 0xff, size - at);
        size_t len = (end ? (size_t)(end - data) : size) - at;
        char *field = malloc(len ? len : 1); /* exactly sized: one byte too far is seen */
        if (!field)
            break;
        memcpy(field, data + at, len);
        journald_entry_add(&e, (struct text){field, len});
        free(field);
        at += len + 1;
    }
    bool is_cut = journald_entry_write(&e, 1760000000000000, MOST, &out);
    assert(out.len <= MOST && !out.has_failed);
    check(&e, buffer_text(&out), is_cut);
    journald_entry_fini(&e);
    buffer_fini(&out);
    return 0;
}
