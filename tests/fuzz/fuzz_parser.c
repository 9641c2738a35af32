/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "ingest/ingest.h"
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Any bytes in any format become an event whose views lie in the record or in the arena, whose
 * second reading is the same, and whose printed line is one JSON object. The first byte of the
 * input is the format.
 */

enum { FORMATS = FORMAT_RAW + 1 };

static void check(bool is_right)
{
    if (!is_right)
        abort();
}

static uint64_t touch(struct text t)
{
    return t.len ? hash_bytes(t.at, t.len, 0) : 0;
}

/* Reads every byte that a view shows: a sanitizer sees the wrong ones. */
static uint64_t touch_all(const struct event *e)
{
    uint64_t sum = touch(e->host) + touch(e->program) + touch(e->pid) + touch(e->msgid) +
                   touch(e->message) + (uint64_t)e->event_us + e->flags;
    for (uint32_t i = 0; i < e->field_count; i++) {
        check(e->fields[i].hash == event_name_hash(e->fields[i].name));
        sum = hash_mix(sum + touch(e->fields[i].name) + touch(e->fields[i].value));
    }
    for (uint32_t i = 0; i < e->param_count; i++)
        sum = hash_mix(sum + touch(e->params[i].id) + touch(e->params[i].key) +
                       touch(e->params[i].value));
    return sum;
}

static void check_line(const struct event *e)
{
    struct buffer out;
    json_error_t error;
    buffer_init(&out, 64 << 20);
    parser_write(e, NULL, 1, &out);
    check(!out.has_failed && out.len > 2 && out.at[out.len - 1] == '\n');
    check(!memchr(out.at, '\n', out.len - 1));
    json_t *line = json_loadb(out.at, out.len, JSON_ALLOW_NUL, &error);
    /* what only jansson limits: numbers that no double holds, NUL in names, depth */
    check(json_is_object(line) || json_error_code(&error) == json_error_numeric_overflow ||
          json_error_code(&error) == json_error_null_byte_in_key ||
          json_error_code(&error) == json_error_stack_overflow);
    json_decref(line);
    buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct parser_options options = {.format = (enum format)(data[0] % FORMATS)};
    struct record r = {.receive_us = INT64_C(1391688000000000),
                       .raw = {(const char *)data + 1, size - 1},
                       .peer = data[0] & 64 ? TEXT("192.0.2.9") : TEXT_NONE};
    struct arena arena;
    struct event e = {0};
    struct parser *p = NULL;
    arena_init(&arena, 8 << 20);
    if (parser_new(&options, &p, NULL) == STATUS_OK) {
        parser_read(p, &r, &arena, &e);
        uint64_t first = touch_all(&e);
        check_line(&e);
        arena_reset(&arena);
        parser_read(p, &r, &arena, &e);
        check(touch_all(&e) == first);
    }
    parser_free(p);
    event_fini(&e);
    arena_fini(&arena);
    return 0;
}
