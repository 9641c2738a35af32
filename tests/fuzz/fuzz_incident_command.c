/* SPDX-License-Identifier: Apache-2.0 */
#include "base/record.h"
#include "incidents/incidents.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/incident_document.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Commands, a line each, on a record that holds one incident ("$" in a line stands for its id). An
 * answer is always JSON; what the record writes reads back and writes the same. */

static void put_one(struct incidents *i)
{
    static const struct rule rule = {.title = {"fuzz", 4},
                                     .key = {"fuzz", 4},
                                     .family = {"fuzz", 4},
                                     .tactic = {"impact", 6},
                                     .level = LEVEL_CRITICAL,
                                     .confidence = 0.9};
    const struct entity entity = {TEXT("192.0.2.7"), ENTITY_ADDRESS, true};
    const struct subject subject = {.entities = &entity, .entity_count = 1};
    const struct record record = {.raw = TEXT("line"), .position = 1, .journal_us = 1000000};
    const struct detection d = {.id = {1, 2},
                                .rule = &rule,
                                .event_us = 1000000,
                                .journal_us = 1000000,
                                .position = 1,
                                .subject = &subject,
                                .record = &record};
    if (incidents_detect(i, &d) != STATUS_OK)
        abort();
}

static void fill_in(struct text line, struct text id, struct buffer *out)
{
    size_t at = text_find_byte(line, '$');
    buffer_append(out, text_head(line, at));
    if (at < line.len)
        buffer_append(out, id);
    buffer_append(out, text_skip(line, at + 1));
}

static void check_document(struct text line)
{
    struct arena arena;
    struct string_pool words;
    struct doc_tree t = {0};
    struct buffer again;
    struct incident *n = NULL;
    arena_init(&arena, 32 << 20);
    string_pool_init(&words);
    buffer_init(&again, 8 << 20);
    assert(doc_tree_parse(line, &arena, &t, NULL) == STATUS_OK);
    if (text_equal(doc_tree_text(&t, "kind"), TEXT("incident"))) {
        assert(incident_document_read(&t, &words, &n) == STATUS_OK);
        incident_document_write(n, &again);
        assert(text_equal(buffer_text(&again), line));
    }
    incident_free(n);
    buffer_fini(&again);
    string_pool_fini(&words);
    arena_fini(&arena);
}

static void check_all(const struct incidents *i)
{
    struct buffer all;
    buffer_init(&all, 64 << 20);
    incidents_write_all(i, &all);
    struct text rest = buffer_text(&all), line;
    while (text_split(&rest, '\n', &line))
        if (line.len)
            check_document(line);
    buffer_fini(&all);
}

static void run(struct incidents *i, struct text command, int64_t now_us)
{
    struct arena arena;
    struct doc_tree t = {0};
    struct buffer reply;
    arena_init(&arena, 32 << 20);
    buffer_init(&reply, 8 << 20);
    int http = incidents_command(i, command, now_us, &reply);
    assert(http >= 200 && http < 600);
    assert(doc_tree_parse(buffer_text(&reply), &arena, &t, NULL) == STATUS_OK);
    assert((http >= 300) == (doc_tree_text(&t, "error").len > 0));
    buffer_fini(&reply);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct incidents *i = NULL;
    const struct incidents_options options = {0};
    struct buffer all, command;
    if (size > 20000 || incidents_open(&options, &i, NULL) != STATUS_OK)
        return 0;
    put_one(i);
    buffer_init(&all, 1 << 20);
    buffer_init(&command, 1 << 20);
    incidents_write_all(i, &all);
    const struct text id = {all.at + 7, 30};
    char *bytes = malloc(size ? size : 1);
    if (bytes && size)
        memcpy(bytes, data, size);
    struct text rest = {bytes, bytes ? size : 0}, line;
    for (int64_t at = 1; text_split(&rest, '\n', &line); at++) {
        buffer_clear(&command);
        fill_in(line, id, &command);
        run(i, buffer_text(&command), 1000000 + at * 1000000);
    }
    check_all(i);
    free(bytes);
    buffer_fini(&all);
    buffer_fini(&command);
    incidents_close(i);
    return 0;
}
