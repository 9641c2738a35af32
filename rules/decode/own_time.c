/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/own_time.h"
#include "base/json_scan.h"
#include "base/stamp.h"
#include "base/stamp_pattern.h"
#include "base/zone.h"
#include "base/zone_names.h"
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

enum { ITEMS_MOST = 16, JOINED = 160, ZONE = 16 };

/* ---- reading the document ---- */

static bool read_field(struct decoder_document *d, const struct yaml_node *node,
                       struct own_time_field *out)
{
    if (!decoder_document_text(d, node, &out->name))
        return false;
    out->hash = event_name_hash(out->name);
    return true;
}

static bool read_fields(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct own_time_item *item = into;
    if (node->kind != YAML_SEQUENCE)
        return read_field(d, node, &item->fields[0]);
    if (node->count != 2)
        return decoder_document_refuse(d, node, STATUS_INVALID, "bad-time",
                                       "'field' is one name, or [date, time]");
    return read_field(d, node->items[0], &item->fields[0]) &&
           read_field(d, node->items[1], &item->fields[1]);
}

static bool read_form(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    static const struct {
        const char *name;
        enum own_time_form form;
        int64_t per_s;
    } forms[] = {
        {"rfc3339", OWN_TIME_RFC3339, 0},         {"epoch", OWN_TIME_EPOCH, 1},
        {"epoch_ms", OWN_TIME_EPOCH, 1000},       {"epoch_us", OWN_TIME_EPOCH, 1000000},
        {"epoch_ns", OWN_TIME_EPOCH, 1000000000},
    };
    struct own_time_item *item = into;
    struct text name = TEXT_NONE;
    if (!decoder_document_text(d, node, &name))
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (text_equal(name, text_of(forms[i].name))) {
            item->form = forms[i].form;
            item->per_s = forms[i].per_s;
            return true;
        }
    if (text_find_byte(name, '%') == name.len)
        return decoder_document_refuse(
            d, node, STATUS_INVALID, "bad-time",
            "a form is rfc3339, epoch, epoch_ms, epoch_us, epoch_ns or a pattern like "
            "'%%Y-%%m-%%d %%H:%%M:%%S', not '%.*s'",
            TEXT_ARG(name));
    const char *fault = stamp_pattern_fault(name);
    item->form = OWN_TIME_PATTERN;
    item->pattern = name;
    return !fault || decoder_document_refuse(d, node, STATUS_INVALID, "bad-time", "'%.*s': %s",
                                             TEXT_ARG(name), fault);
}

/* +02:00, Z, CEST, or a field that says one of them. */
static bool find_zone(struct text name, int32_t *out_s)
{
    char zone[ZONE];
    if (zone_names_find(name, out_s))
        return true;
    if (!name.len || name.len >= sizeof zone)
        return false;
    memcpy(zone, name.at, name.len);
    zone[name.len] = '\0';
    return zone_parse(zone, out_s);
}

static bool read_place(struct decoder_document *d, const struct yaml_node *node,
                       struct own_time_item *item)
{
    const enum status status = time_zone_load(item->zone.name, d->arena, &item->place);
    if (status)
        return decoder_document_refuse(d, node, status, "unknown-zone",
                                       "no zone '%.*s' in the system's tzdata: write its name like "
                                       "Europe/Berlin, or +hh:mm",
                                       TEXT_ARG(item->zone.name));
    item->zone = (struct own_time_field){0};
    return true;
}

static bool read_zone(struct decoder_document *d, const struct yaml_node *node, void *into)
{
    struct own_time_item *item = into;
    if (!read_field(d, node, &item->zone))
        return false;
    if (text_find_byte(item->zone.name, '/') < item->zone.name.len)
        return read_place(d, node, item);
    item->has_zone = find_zone(item->zone.name, &item->zone_s);
    const char first = item->zone.name.at[0];
    if (item->has_zone)
        item->zone = (struct own_time_field){0};
    else if (first == '+' || first == '-')
        return decoder_document_refuse(d, node, STATUS_INVALID, "bad-time",
                                       "a zone is +hh:mm, Z, a name like CEST, or the field that "
                                       "says it, not '%.*s'",
                                       TEXT_ARG(item->zone.name));
    return true;
}

static bool read_item(struct decoder_document *d, const struct yaml_node *node,
                      struct own_time_item *out)
{
    static const struct decoder_document_key keys[] = {
        {"field", read_fields, true}, {"form", read_form, false}, {"zone", read_zone, false}};
    if (node->kind == YAML_SCALAR)
        return read_field(d, node, &out->fields[0]);
    return decoder_document_walk(d, node, "a time", keys, sizeof keys / sizeof *keys, out);
}

bool own_time_read(struct decoder_document *d, const struct yaml_node *node, struct own_times *out)
{
    const bool is_list = node->kind == YAML_SEQUENCE;
    const uint32_t count = is_list ? node->count : 1;
    if (!count || count > ITEMS_MOST)
        return decoder_document_refuse(d, node, STATUS_INVALID, "bad-list",
                                       "time is one field or a list of 1 to %d", ITEMS_MOST);
    struct own_time_item *items = arena_zero(d->arena, count * sizeof *items);
    if (!items)
        return decoder_document_refuse(d, node, STATUS_NOMEM, "no-memory", "no memory");
    for (uint32_t i = 0; i < count; i++)
        if (!read_item(d, is_list ? node->items[i] : node, &items[i]))
            return false;
    *out = (struct own_times){items, count};
    return true;
}

bool own_time_reads(const struct own_times *times, uint64_t hash)
{
    for (uint32_t i = 0; i < times->count; i++) {
        const struct own_time_item *item = &times->items[i];
        if (item->fields[0].hash == hash ||
            (item->fields[1].hash && item->fields[1].hash == hash) ||
            (item->zone.hash && item->zone.hash == hash))
            return true;
    }
    return false;
}

/* ---- an event ---- */

static const struct field *find_in(const struct event *e, const struct own_time_field *wanted,
                                   uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if (e->fields[i].hash == wanted->hash && text_equal(e->fields[i].name, wanted->name))
            return &e->fields[i];
    return NULL;
}

/* Its value; at NULL: not there, or nothing that a time can be. */
static struct text value_of(const struct event *e, const struct own_time_field *wanted,
                            uint32_t from, struct arena *arena)
{
    const struct field *f = find_in(e, wanted, from, e->field_count);
    if (!f)
        f = find_in(e, wanted, 0, from);
    if (!f || (f->type != VALUE_STRING && f->type != VALUE_NUMBER) || !f->value.len)
        return TEXT_NONE;
    return json_value(f, arena);
}

/* "+2", "+02:00", "-0500", "CEST", "UTC+2": as devices write their zone. */
static bool read_zone_value(struct text value, int32_t *out_s)
{
    char wide[ZONE];
    value = text_trim(value);
    if (find_zone(value, out_s))
        return true;
    if (text_starts(value, TEXT("UTC")) || text_starts(value, TEXT("GMT")))
        value = text_skip(value, 3);
    if (find_zone(value, out_s))
        return true;
    const bool has_sign = value.len == 2 && (value.at[0] == '+' || value.at[0] == '-');
    if (!has_sign)
        return false;
    (void)snprintf(wide, sizeof wide, "%c0%c:00", value.at[0], value.at[1]);
    return zone_parse(wide, out_s);
}

static struct text join(struct text date, struct text time, char room[JOINED])
{
    if (!date.at || !time.at || date.len + 1 + time.len > JOINED)
        return TEXT_NONE;
    memcpy(room, date.at, date.len);
    room[date.len] = ' ';
    memcpy(room + date.len + 1, time.at, time.len);
    return (struct text){room, date.len + 1 + time.len};
}

static bool read_value(const struct own_time_item *item, struct stamp_reader *reader,
                       struct text value, struct stamp *out)
{
    value = text_trim(value);
    switch (item->form) {
    case OWN_TIME_GUESSED:
        break;
    case OWN_TIME_RFC3339:
        return stamp_read_iso(reader, value, out) && out->len == value.len;
    case OWN_TIME_EPOCH:
        return stamp_read_since(value, item->per_s, out);
    case OWN_TIME_PATTERN:
        return stamp_pattern_read(reader, item->pattern, value, out);
    }
    return stamp_read_whole(reader, value, out);
}

static enum own_time_result read_one(const struct own_time_item *item, const struct event *e,
                                     uint32_t from, struct arena *arena, struct stamp *out)
{
    char room[JOINED];
    struct text value = value_of(e, &item->fields[0], from, arena);
    if (item->fields[1].hash)
        value = join(value, value_of(e, &item->fields[1], from, arena), room);
    if (!value.at)
        return OWN_TIME_NONE;
    struct stamp_reader reader = {.near_us = e->near_us, .zone_s = e->zone_s, .dates = e->dates};
    bool has_zone = item->has_zone;
    if (item->place)
        reader.zone_s = 0; /* as the clock shows it, first */
    else if (has_zone)
        reader.zone_s = item->zone_s;
    else if (item->zone.hash)
        has_zone = read_zone_value(value_of(e, &item->zone, from, arena), &reader.zone_s);
    if (!read_value(item, &reader, value, out))
        return OWN_TIME_UNREADABLE;
    if (item->place && !out->has_zone) {
        out->us -= time_zone_offset(item->place, out->us / SECOND_US) * SECOND_US;
        has_zone = true;
    }
    out->has_zone |= has_zone;
    return OWN_TIME_TAKEN;
}

static void take(const struct stamp *stamp, struct event *e)
{
    e->flags &= ~(uint32_t)(EVENT_TIME_CLAMPED | EVENT_TIME_UNREADABLE);
    stamp_apply(stamp, e);
    if (e->latest_us && e->event_us > e->latest_us) {
        e->event_us = e->record->receive_us;
        e->flags |= EVENT_TIME_CLAMPED;
    }
}

enum own_time_result own_time_apply(const struct own_times *times, uint32_t from,
                                    struct event *event, struct arena *arena)
{
    enum own_time_result result = OWN_TIME_NONE;
    if (event->record && event->record->kind == RECORD_ALERT)
        return OWN_TIME_NONE;
    for (uint32_t i = 0; i < times->count; i++) {
        struct stamp stamp = {0};
        const enum own_time_result one = read_one(&times->items[i], event, from, arena, &stamp);
        if (one == OWN_TIME_TAKEN) {
            take(&stamp, event);
            return OWN_TIME_TAKEN;
        }
        if (one == OWN_TIME_UNREADABLE)
            result = OWN_TIME_UNREADABLE;
    }
    if (result == OWN_TIME_UNREADABLE)
        event->flags |= EVENT_TIME_UNREADABLE;
    return result;
}
