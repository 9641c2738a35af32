/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/json_scan.h"
#include "rules/rules.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rules in, events in, what matched out: shared by the tests of the matcher. */

struct harness {
    struct ruleset *ruleset;
    struct matcher *matcher;
    struct match_result result;
    struct event event;
    struct record record;
    struct arena arena;
    char messages[8192]; /* "code:line " of every finding, then the first message */
    char first[1024];
};

static inline void harness_tell(void *context, const struct diagnostic *f)
{
    struct harness *h = context;
    size_t used = strlen(h->messages);
    (void)snprintf(h->messages + used, sizeof h->messages - used, "%s:%u ", f->code, f->line);
    if (!h->first[0])
        (void)snprintf(h->first, sizeof h->first, "%.*s", TEXT_ARG(f->message));
}

/* A file of its own with this text; the caller removes it. */
static inline void harness_write(char path[64], const char *text)
{
    (void)snprintf(path, 64, "/tmp/tocsin-test-XXXXXX.yml");
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static inline enum status harness_open_with(struct harness *h, const char *yaml,
                                            struct ruleset_options options)
{
    char path[64];
    struct error err = {.code = STATUS_OK};
    *h = (struct harness){.record = {.position = 1}};
    arena_init(&h->arena, 64 << 20);
    harness_write(path, yaml);
    const char *paths[] = {path};
    options.paths = paths;
    options.path_count = 1;
    options.tell = harness_tell;
    options.context = h;
    enum status status = ruleset_load(&options, &h->ruleset, &err);
    (void)unlink(path);
    if (!status)
        status = matcher_new(h->ruleset, &h->matcher, &err);
    return status;
}

/* Without routing: every rule sees every event. */
static inline enum status harness_open(struct harness *h, const char *yaml)
{
    return harness_open_with(h, yaml, (struct ruleset_options){.is_strict = false});
}

static inline void harness_close(struct harness *h)
{
    matcher_free(h->matcher);
    ruleset_unref(h->ruleset);
    event_fini(&h->event);
    arena_fini(&h->arena);
}

/* Matches one JSON event; true if any rule was reported. The JSON must outlive the result. */
static inline bool harness_match_json(struct harness *h, struct text json)
{
    size_t at = 0;
    h->record.raw = json;
    matcher_reset(h->matcher, &h->result);
    event_reset(&h->event, &h->record);
    h->event.format = FORMAT_JSON;
    assert_int_equal(json_scan(json, NULL, &h->arena, &h->event, &at), STATUS_OK);
    matcher_decode(h->matcher, &h->event, &h->arena);
    matcher_match(h->matcher, &h->event, &h->arena, &h->result);
    return h->result.detection_count > 0;
}

/* The same for a line of text. */
static inline bool harness_match_text(struct harness *h, const char *line)
{
    h->record.raw = text_of(line);
    matcher_reset(h->matcher, &h->result);
    event_reset(&h->event, &h->record);
    h->event.format = FORMAT_RAW;
    h->event.message = h->record.raw;
    matcher_decode(h->matcher, &h->event, &h->arena);
    matcher_match(h->matcher, &h->event, &h->arena, &h->result);
    return h->result.detection_count > 0;
}
