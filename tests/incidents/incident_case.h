/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/record.h"
#include "base/timestamp.h"
#include "incidents/incidents.h"
#include "incidents/model/doc_tree.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Detections by hand, and a record to throw them at. Static on purpose: one program per test. */

#define CASE_T0 INT64_C(1790000000000000) /* some time in 2026 */
#define CASE_S  INT64_C(1000000)
#define CASE_H  (3600 * CASE_S)

struct case_rule {
    const char *key;
    enum rule_level level;
    const char *tactic;
};

static inline struct rule case_make_rule(const struct case_rule *from)
{
    return (struct rule){
        .title = text_of(from->key),
        .key = text_of(from->key),
        .id = text_of(from->key),
        .family = text_of(from->key),
        .tactic = text_of(from->tactic),
        .level = from->level,
        .status = RULE_TEST,
        .confidence = 0.9,
        .open = OPEN_SCORE,
        .is_reported = true,
        .content = {strlen(from->key), (uint64_t)(unsigned char)from->key[0]},
    };
}

/* One detection of one event, with a record of its own. */
struct case_detection {
    struct detection detection;
    struct subject subject;
    struct entity entities[4];
    struct record record;
    uint64_t evidence[1];
    char line[64];
};

static inline void case_make(struct case_detection *c, const struct rule *rule, int64_t at_us,
                             uint64_t position, const struct entity *entities, uint32_t count)
{
    *c = (struct case_detection){0};
    if (count)
        memcpy(c->entities, entities, count * sizeof *entities);
    (void)snprintf(c->line, sizeof c->line, "line %llu", (unsigned long long)position);
    c->record = (struct record){.raw = text_of(c->line),
                                .receive_us = at_us,
                                .journal_us = at_us,
                                .position = position,
                                .epoch = 1};
    c->evidence[0] = position;
    c->subject = (struct subject){.entities = c->entities, .entity_count = count};
    c->detection = (struct detection){.rule = rule,
                                      .event_us = at_us,
                                      .journal_us = at_us,
                                      .position = position,
                                      .released = position,
                                      .subject = &c->subject,
                                      .record = &c->record,
                                      .evidence = c->evidence,
                                      .evidence_count = 1,
                                      .evidence_total = 1};
    c->detection.id = detection_make_id(rule, &c->subject, record_identity(&c->record), 0);
}

static inline struct incidents *case_memory(void)
{
    struct incidents *i = NULL;
    const struct incidents_options options = {0};
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    return i;
}

static inline void case_put(struct incidents *i, const struct rule *rule, int64_t at_us,
                            uint64_t position, const char *address)
{
    struct case_detection c;
    const struct entity entity = {text_of(address), ENTITY_ADDRESS, true};
    case_make(&c, rule, at_us, position, &entity, 1);
    assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
}

/* Everything as one text. Freed by the caller with buffer_fini. */
static inline void case_dump(const struct incidents *i, struct buffer *out)
{
    buffer_init(out, 64 << 20);
    incidents_write_all(i, out);
    assert_false(out->has_failed);
}

/* The first object of a kind; the tree lives in `arena`. */
static inline struct doc_tree case_first(const struct incidents *i, const char *kind,
                                         struct arena *arena)
{
    struct buffer all;
    struct doc_tree found = {0};
    case_dump(i, &all);
    struct text rest = buffer_text(&all), line;
    while (found.kind == TREE_NOTHING && text_split(&rest, '\n', &line)) {
        struct doc_tree t = {0};
        if (!line.len)
            continue;
        assert_int_equal(doc_tree_parse(line, arena, &t, NULL), STATUS_OK);
        if (text_equal(doc_tree_text(&t, "kind"), text_of(kind)))
            found = t;
    }
    buffer_fini(&all);
    return found;
}

static inline uint32_t case_count(const struct incidents *i, const char *kind)
{
    struct buffer all;
    char want[40];
    uint32_t count = 0;
    case_dump(i, &all);
    (void)snprintf(want, sizeof want, "\"kind\":\"%s\"", kind);
    struct text rest = buffer_text(&all), line;
    while (text_split(&rest, '\n', &line))
        count += line.len && text_find(line, text_of(want)) < line.len;
    buffer_fini(&all);
    return count;
}

/* Runs a command; its answer's tree lives in `arena`. */
static inline int case_command(struct incidents *i, struct arena *arena, struct doc_tree *out,
                               int64_t now_us, const char *json)
{
    struct buffer reply;
    buffer_init(&reply, 1 << 20);
    int http = incidents_command(i, text_of(json), now_us, &reply);
    assert_int_equal(doc_tree_parse(buffer_text(&reply), arena, out, NULL), STATUS_OK);
    buffer_fini(&reply);
    return http;
}
