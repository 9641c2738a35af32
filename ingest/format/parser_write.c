/* SPDX-License-Identifier: Apache-2.0 */
#include "base/correlation.h"
#include "base/json_write.h"
#include "ingest/ingest.h"
#include <stdlib.h>
#include <string.h>

static void write_text(struct buffer *out, const char *name, struct text value)
{
    if (value.len)
        json_write_string(out, name, value);
}

/* An RFC 5424 message as it was sent: a mark is no part of what patterns see, but is shown (6.4).
 */
static struct text shown_message(const struct event *e)
{
    const size_t mark = 3;
    struct text raw = e->record->raw;
    bool is_inside = e->message.at >= raw.at + mark && e->message.at <= raw.at + raw.len;
    if (!e->message.at || raw.len < mark || !is_inside || e->format != FORMAT_RFC5424)
        return e->message;
    struct text wide = {e->message.at - mark, e->message.len + mark};
    return text_starts(wide, TEXT("\xEF\xBB\xBF")) ? wide : e->message;
}

static void write_value(struct buffer *out, const struct field *f)
{
    switch (f->type) {
    case VALUE_NUMBER:
    case VALUE_OBJECT:
        buffer_append(out, f->value);
        return;
    case VALUE_TRUE:
        buffer_append(out, TEXT("true"));
        return;
    case VALUE_FALSE:
        buffer_append(out, TEXT("false"));
        return;
    case VALUE_NULL:
        buffer_append(out, TEXT("null"));
        return;
    case VALUE_STRING:
        break;
    }
    buffer_byte(out, '"');
    if (f->is_escaped)
        buffer_append(out, f->value); /* the escapes were checked when it was read */
    else
        json_write_escape(out, f->value);
    buffer_byte(out, '"');
}

static bool is_same(const struct field *a, const struct field *b)
{
    return a->hash == b->hash && text_equal(a->name, b->name);
}

/* Fields in order; one name with several values becomes an array at its first place. */
static void write_field(struct buffer *out, const struct event *e, uint32_t first, uint32_t *next)
{
    const struct field *f = &e->fields[first];
    json_write_name(out, f->name);
    if (next[first] == UINT32_MAX) {
        write_value(out, f);
        return;
    }
    buffer_byte(out, '[');
    for (uint32_t i = first; i != UINT32_MAX; i = next[i]) {
        if (i != first)
            buffer_byte(out, ',');
        write_value(out, &e->fields[i]);
    }
    buffer_byte(out, ']');
}

enum { NAME_SLOTS = 2 * EVENT_FIELDS };

/* Links the fields of one name: next[i] is the next of the same name; is_later[i] says that an
 * earlier one is written, or none. */
static void link_names(const struct event *e, uint32_t *next, bool *is_later)
{
    uint32_t firsts[NAME_SLOTS]; /* open addressing: the first field of a name */
    uint32_t lasts[NAME_SLOTS];
    uint32_t slots = 64;
    while (slots < NAME_SLOTS && slots < 2 * e->field_count)
        slots *= 2;
    memset(firsts, 0xFF, slots * sizeof *firsts);
    for (uint32_t i = 0; i < e->field_count; i++) {
        uint32_t slot = (uint32_t)e->fields[i].hash & (slots - 1);
        next[i] = UINT32_MAX;
        is_later[i] = e->fields[i].type == VALUE_OBJECT; /* its members are written instead */
        if (is_later[i])
            continue;
        while (firsts[slot] != UINT32_MAX && !is_same(&e->fields[firsts[slot]], &e->fields[i]))
            slot = (slot + 1) & (slots - 1);
        is_later[i] = firsts[slot] != UINT32_MAX;
        if (is_later[i])
            next[lasts[slot]] = i;
        else
            firsts[slot] = i;
        lasts[slot] = i;
    }
}

static void write_fields(struct buffer *out, const struct event *e)
{
    if (!e->field_count)
        return;
    uint32_t *next = malloc(e->field_count * sizeof *next);
    bool *is_later = calloc(e->field_count, sizeof *is_later);
    if (next && is_later) {
        link_names(e, next, is_later);
        json_write_open(out, "fields", '{');
        for (uint32_t i = 0; i < e->field_count; i++)
            if (!is_later[i])
                write_field(out, e, i, next);
        json_write_close(out, '}');
    }
    free(next);
    free(is_later);
}

/* A parameter with all values that its name has in this element, or nothing where an earlier one of
 * that name wrote them. */
static void write_param(struct buffer *out, const struct sd_param *params, uint32_t first,
                        uint32_t at, uint32_t end)
{
    uint32_t others = 0;
    for (uint32_t i = first; i < end; i++) {
        if (i == at || !text_equal(params[i].key, params[at].key))
            continue;
        if (i < at)
            return;
        others++;
    }
    if (!others) {
        json_write_named_string(out, params[at].key, params[at].value);
        return;
    }
    json_write_name(out, params[at].key);
    buffer_byte(out, '[');
    for (uint32_t i = at; i < end; i++)
        if (text_equal(params[i].key, params[at].key))
            json_write_string(out, NULL, params[i].value);
    json_write_close(out, ']');
}

enum { PARAMS_COMPARED = 512 }; /* above, a name that comes twice stands twice */

static void write_element(struct buffer *out, const struct sd_param *params, uint32_t count)
{
    json_write_named_open(out, params[0].id, '{');
    for (uint32_t i = 0; i < count; i++)
        if (params[i].key.len && count <= PARAMS_COMPARED)
            write_param(out, params, 0, i, count);
        else if (params[i].key.len)
            json_write_named_string(out, params[i].key, params[i].value);
    json_write_close(out, '}');
}

static void write_structured(struct buffer *out, const struct event *e)
{
    if (!e->param_count)
        return;
    json_write_open(out, "structured_data", '{');
    for (uint32_t i = 0, end = 0; i < e->param_count; i = end) {
        for (end = i + 1; end < e->param_count && e->params[i].id.at == e->params[end].id.at;)
            end++;
        write_element(out, e->params + i, end - i);
    }
    json_write_close(out, '}');
}

static void write_logsource(struct buffer *out, const struct event *e)
{
    if (!e->logsource_count)
        return;
    json_write_open(out, "logsource", '{');
    write_text(out, "category", e->logsources[0].category);
    write_text(out, "product", e->logsources[0].product);
    write_text(out, "service", e->logsources[0].service);
    json_write_close(out, '}');
}

static void write_entities(struct buffer *out, const struct entity_report *report)
{
    if (!report->entity_count)
        return;
    json_write_open(out, "entities", '[');
    for (uint32_t i = 0; i < report->entity_count; i++) {
        json_write_open(out, NULL, '{');
        json_write_string(out, "kind", text_of(correlation_entity_name(report->entities[i].kind)));
        json_write_string(out, "value", report->entities[i].value);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
}

static void write_flags(struct buffer *out, uint32_t flags)
{
    if (!flags)
        return;
    json_write_open(out, "flags", '[');
    for (uint32_t bit = 1; bit && bit <= flags; bit <<= 1)
        if (flags & bit)
            json_write_string(out, NULL, text_of(event_flag_name(bit)));
    json_write_close(out, ']');
}

static void write_base64(struct buffer *out, struct text raw)
{
    size_t room = 4 * ((raw.len + 2) / 3);
    json_write_name(out, TEXT("raw_b64"));
    buffer_byte(out, '"');
    char *at = buffer_reserve(out, room);
    if (at)
        out->len += text_to_base64(raw, at);
    buffer_byte(out, '"');
}

void parser_write(const struct event *e, const struct entity_report *report, uint64_t line,
                  struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_uint(out, "line", line);
    json_write_string(out, "format", text_of(event_format_name(e->format)));
    json_write_time(out, "time", e->event_us);
    if (e->facility >= 0)
        json_write_int(out, "facility", e->facility);
    if (e->severity >= 0)
        json_write_int(out, "severity", e->severity);
    write_text(out, "host", e->host);
    write_text(out, "program", e->program);
    write_text(out, "pid", e->pid);
    write_text(out, "msgid", e->msgid);
    write_text(out, "message", shown_message(e));
    write_fields(out, e);
    write_structured(out, e);
    write_logsource(out, e);
    if (report) {
        write_entities(out, report);
        write_text(out, "decoder", report->decoder);
        write_text(out, "mapping", report->mapping);
    }
    write_flags(out, e->flags);
    if (e->flags & EVENT_NOT_UTF8)
        write_base64(out, e->record->raw);
    json_write_close(out, '}');
    buffer_byte(out, '\n');
}
