/* SPDX-License-Identifier: Apache-2.0 */
#include "app/expect.h"
#include "base/printable.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void expect_init(struct expect_result *r)
{
    *r = (struct expect_result){0};
    arena_init(&r->arena, 256 << 20);
}

void expect_fini(struct expect_result *r)
{
    arena_fini(&r->arena);
    free(r->detections);
}

void expect_add_detection(struct expect_result *r, const struct detection *d, int64_t start_us)
{
    if (r->count == r->max) {
        size_t want = r->max ? r->max * 2 : 64;
        struct expect_detection *grown = realloc(r->detections, want * sizeof *grown);
        if (!grown) {
            r->has_failed = true;
            return;
        }
        r->detections = grown;
        r->max = want;
    }
    struct text *group = arena_alloc(&r->arena, (d->subject->group_count + 1) * sizeof *group);
    for (uint32_t i = 0; group && i < d->subject->group_count; i++)
        group[i] = arena_copy(&r->arena, d->subject->group[i]);
    if (!group) {
        r->has_failed = true;
        return;
    }
    r->detections[r->count++] =
        (struct expect_detection){d->rule, d->event_us - start_us, group, d->subject->group_count};
}

bool expect_names_rule(struct text name, const struct rule *rule)
{
    return name.len && (text_equal(name, rule->name) || text_equal_nocase(name, rule->id) ||
                        text_equal(name, rule->title) || text_equal(name, rule->key));
}

bool expect_is_known(struct text key, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (text_equal(key, text_of(names[i])))
            return true;
    return false;
}

static enum status fail(struct error *err, const struct yaml_node *at, const char *what)
{
    (void)error_set(err, STATUS_INVALID, at->line, "%s", what);
    if (err)
        err->column = at->column;
    return STATUS_INVALID;
}

/* ---- detections ---- */

static bool group_agrees(const struct expect_detection *d, const struct yaml_node *group)
{
    for (uint32_t i = 0; group && group->kind == YAML_MAPPING && i < group->count; i++) {
        uint32_t j = 0;
        while (j < d->rule->group_count && j < d->group_count &&
               !text_equal(d->rule->group[j], group->pairs[i].key->value))
            j++;
        if (j >= d->rule->group_count || j >= d->group_count ||
            !text_equal(d->group[j], group->pairs[i].value->value))
            return false;
    }
    return true;
}

static enum status check_detection(const struct expect_result *r, const struct yaml_node *entry,
                                   bool *out_holds, struct error *err)
{
    static const char *const known[] = {"detection", "at", "group", "times", NULL};
    for (uint32_t i = 0; i < entry->count; i++)
        if (!expect_is_known(entry->pairs[i].key->value, known))
            return fail(err, entry->pairs[i].key,
                        "a detection is expected by detection, at, group and times only");
    const struct yaml_node *name = yaml_get(entry, TEXT("detection"));
    const struct yaml_node *at = yaml_get(entry, TEXT("at"));
    const struct yaml_node *times = yaml_get(entry, TEXT("times"));
    int64_t at_us = 0;
    int64_t want = 0;
    if (at && !text_to_duration_us(at->value, &at_us))
        return fail(err, at, "at wants a duration such as 8s");
    if (times && !yaml_int64(times, &want))
        return fail(err, times, "times wants a number");
    int64_t count = 0;
    bool is_at = !at;
    for (size_t i = 0; i < r->count; i++) {
        const struct expect_detection *d = &r->detections[i];
        if (!expect_names_rule(name->value, d->rule) ||
            !group_agrees(d, yaml_get(entry, TEXT("group"))))
            continue;
        count++;
        is_at |= d->at_us == at_us;
    }
    *out_holds = is_at && (times ? count == want : count > 0);
    return STATUS_OK;
}

/* ---- incidents ---- */

static bool compare(double is, const char *text)
{
    char op[3] = "";
    double want = 0;
    char *end = NULL;
    size_t n = strspn(text, "<>=! ");
    size_t len = 0;
    for (size_t i = 0; i < n && len < 2; i++)
        if (text[i] != ' ')
            op[len++] = text[i];
    want = strtod(text + n, &end);
    if (end == text + n)
        return false;
    if (!strcmp(op, ">="))
        return is >= want - 0.005;
    if (!strcmp(op, "<="))
        return is <= want + 0.005;
    if (!strcmp(op, ">"))
        return is > want;
    if (!strcmp(op, "<"))
        return is < want;
    if (!strcmp(op, "!="))
        return fabs(is - want) >= 0.5;
    return (!*op || !strcmp(op, "=") || !strcmp(op, "==")) && fabs(is - want) < 0.5;
}

static bool has_entity(const json_t *incident, const struct yaml_node *entity)
{
    const struct yaml_node *kind = yaml_get(entity, TEXT("kind"));
    const struct yaml_node *value = yaml_get(entity, TEXT("value"));
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(json_object_get(incident, "entities"), i, one)
    {
        const char *k = json_string_value(json_object_get(one, "kind"));
        const char *v = json_string_value(json_object_get(one, "value"));
        bool is_kind = !kind || (k && text_equal(kind->value, text_of(k)));
        bool is_value = !value || (v && text_equal(value->value, text_of(v)));
        if (is_kind && is_value)
            return true;
    }
    return false;
}

static bool member_agrees(const json_t *incident, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)(key->value.len < 60 ? key->value.len : 60),
                   key->value.at);
    if (text_equal(key->value, TEXT("entity")))
        return has_entity(incident, value);
    const json_t *is = json_object_get(incident, name);
    char text[256];
    (void)snprintf(text, sizeof text, "%.*s",
                   (int)(value->value.len < 250 ? value->value.len : 250),
                   value->value.at ? value->value.at : "");
    if (json_is_number(is))
        return compare(json_number_value(is), text);
    return json_is_string(is) && strcmp(json_string_value(is), text) == 0;
}

static bool incident_agrees(const json_t *incident, const char *kind, const struct yaml_node *want)
{
    const char *is = json_string_value(json_object_get(incident, "kind"));
    bool is_candidate = is && strcmp(is, "candidate") == 0;
    if (is_candidate != (strcmp(kind, "candidate") == 0))
        return false;
    for (uint32_t i = 0; want->kind == YAML_MAPPING && i < want->count; i++)
        if (!member_agrees(incident, want->pairs[i].key, want->pairs[i].value))
            return false;
    return true;
}

static bool any_incident(struct text lines, const char *kind, const struct yaml_node *want)
{
    struct text line = TEXT_NONE;
    bool is_any = false;
    while (!is_any && text_split(&lines, '\n', &line)) {
        json_t *incident = line.len ? json_loadb(line.at, line.len, 0, NULL) : NULL;
        is_any = incident && incident_agrees(incident, kind, want);
        json_decref(incident);
    }
    return is_any;
}

/* ---- entries ---- */

static enum status check_entry(const struct expect_result *r, struct text incidents,
                               const struct yaml_node *entry, bool *out_holds, struct error *err)
{
    const struct yaml_node *inner = yaml_get(entry, TEXT("not"));
    if (inner) {
        enum status status = check_entry(r, incidents, inner, out_holds, err);
        *out_holds = !*out_holds;
        return status;
    }
    if (yaml_get(entry, TEXT("detection")))
        return check_detection(r, entry, out_holds, err);
    const struct yaml_node *incident = yaml_get(entry, TEXT("incident"));
    const struct yaml_node *candidate = yaml_get(entry, TEXT("candidate"));
    if (!incident && !candidate)
        return fail(err, entry,
                    "expected: detection, incident, candidate, or not with one of them");
    *out_holds = incident ? any_incident(incidents, "incident", incident)
                          : any_incident(incidents, "candidate", candidate);
    return STATUS_OK;
}

static void describe(const struct yaml_node *node, struct buffer *out)
{
    if (node->kind == YAML_SCALAR) {
        buffer_append(out, node->value);
        return;
    }
    buffer_byte(out, node->kind == YAML_MAPPING ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i)
            buffer_append(out, TEXT(", "));
        if (node->kind == YAML_MAPPING) {
            buffer_append(out, node->pairs[i].key->value);
            buffer_append(out, TEXT(": "));
        }
        describe(node->kind == YAML_MAPPING ? node->pairs[i].value : node->items[i], out);
    }
    buffer_byte(out, node->kind == YAML_MAPPING ? '}' : ']');
}

static void tell_happened(const struct expect_result *r, struct text incidents, struct buffer *why)
{
    buffer_append(why, TEXT("      what happened:\n"));
    for (size_t i = 0; i < r->count && i < 50; i++) {
        const struct expect_detection *d = &r->detections[i];
        printable_format(why, "        %8.3fs  %.*s {", (double)d->at_us / 1e6,
                         TEXT_ARG(d->rule->name.len ? d->rule->name : d->rule->title));
        for (uint32_t j = 0; j < d->group_count && j < d->rule->group_count; j++)
            printable_format(why, "%s%.*s: %.*s", j ? ", " : "", TEXT_ARG(d->rule->group[j]),
                             TEXT_ARG(d->group[j]));
        buffer_append(why, TEXT("}\n"));
    }
    if (!r->count)
        buffer_append(why, TEXT("        no detection\n"));
    struct text line = TEXT_NONE;
    while (text_split(&incidents, '\n', &line)) {
        json_t *one = line.len ? json_loadb(line.at, line.len, 0, NULL) : NULL;
        char *entities = json_dumps(json_object_get(one, "entities"), JSON_COMPACT);
        const char *kind = json_string_value(json_object_get(one, "kind"));
        if (one)
            printable_format(why, "        %s score %.1f %s\n", kind ? kind : "?",
                             json_number_value(json_object_get(one, "score")),
                             entities ? entities : "");
        free(entities);
        json_decref(one);
    }
}

enum status expect_check(const struct expect_result *r, struct text incidents,
                         const struct yaml_node *expect, struct buffer *why, struct error *err)
{
    if (r->has_failed)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the detections of this timeline");
    for (uint32_t i = 0; i < expect->count; i++) {
        bool holds = false;
        enum status status = check_entry(r, incidents, expect->items[i], &holds, err);
        if (status)
            return status;
        if (holds)
            continue;
        buffer_append(why, TEXT("      expected: "));
        describe(expect->items[i], why);
        buffer_byte(why, '\n');
        if (r->explain)
            r->explain(r->context, expect->items[i], why);
    }
    if (why->len)
        tell_happened(r, incidents, why);
    return STATUS_OK;
}
