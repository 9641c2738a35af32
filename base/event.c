/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"
#include <stdlib.h>

const char *event_flag_name(uint32_t bit)
{
    static const struct {
        enum event_flag flag;
        const char *name;
    } names[] = {
        {EVENT_YEAR_ASSUMED, "year_assumed"},     {EVENT_ZONE_ASSUMED, "zone_assumed"},
        {EVENT_TRUNCATED, "truncated"},           {EVENT_NOT_UTF8, "not_utf8"},
        {EVENT_TIME_CLAMPED, "time_clamped"},     {EVENT_TIME_ASSUMED, "time_assumed"},
        {EVENT_HOST_ASSUMED, "host_assumed"},     {EVENT_PRI_MISSING, "pri_missing"},
        {EVENT_HEADER_DAMAGED, "header_damaged"}, {EVENT_FIELDS_CUT, "fields_cut"},
        {EVENT_UNDECODED, "undecoded"},           {EVENT_TIME_UNREADABLE, "time_unreadable"},
        {EVENT_ORDER_ASSUMED, "order_assumed"},   {EVENT_REPEATS_CUT, "repeats_cut"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((uint32_t)names[i].flag == bit)
            return names[i].name;
    return "unknown";
}

void event_reset(struct event *e, const struct record *r)
{
    struct field *fields = e->fields;
    struct sd_param *params = e->params;
    *e = (struct event){
        .record = r,
        .facility = -1,
        .severity = -1,
        .event_us = r->receive_us,
        .near_us = r->receive_us,
        .fields = fields,
        .field_max = e->field_max,
        .params = params,
        .param_max = e->param_max,
    };
}

void event_fini(struct event *e)
{
    free(e->fields);
    free(e->params);
    *e = (struct event){0};
}

static bool grow(void **array, uint32_t *max, size_t size)
{
    uint32_t want = *max ? *max * 2 : 64;
    void *bigger = want > EVENT_FIELDS ? NULL : realloc(*array, want * size);
    if (!bigger)
        return false;
    *array = bigger;
    *max = want;
    return true;
}

bool event_add_field(struct event *e, const struct field *f)
{
    if (e->field_count == e->field_max) {
        void *array = e->fields;
        if (!grow(&array, &e->field_max, sizeof *e->fields)) {
            e->flags |= EVENT_FIELDS_CUT;
            return false;
        }
        e->fields = array;
    }
    e->fields[e->field_count++] = *f;
    return true;
}

bool event_add(struct event *e, struct text name, struct text value)
{
    struct field f = {.name = name, .value = value, .hash = event_name_hash(name)};
    return event_add_field(e, &f);
}

bool event_add_param(struct event *e, struct text id, struct text key, struct text value)
{
    if (e->param_count == e->param_max) {
        void *array = e->params;
        if (!grow(&array, &e->param_max, sizeof *e->params)) {
            e->flags |= EVENT_FIELDS_CUT;
            return false;
        }
        e->params = array;
    }
    e->params[e->param_count++] = (struct sd_param){id, key, value};
    return true;
}

const struct field *event_field(const struct event *e, struct text name)
{
    uint64_t hash = event_name_hash(name);
    for (uint32_t i = 0; i < e->field_count; i++)
        if (e->fields[i].hash == hash && text_equal(e->fields[i].name, name))
            return &e->fields[i];
    return NULL;
}

static const char *const format_names[] = {
    [FORMAT_AUTO] = "auto",       [FORMAT_SYSLOG] = "syslog", [FORMAT_RFC5424] = "rfc5424",
    [FORMAT_RFC3164] = "rfc3164", [FORMAT_JSON] = "json",     [FORMAT_CEF] = "cef",
    [FORMAT_LEEF] = "leef",       [FORMAT_KV] = "kv",         [FORMAT_RAW] = "raw",
};

const char *event_format_name(enum format f)
{
    return format_names[f];
}

bool event_format_parse(struct text name, enum format *out)
{
    for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++)
        if (text_equal(name, text_of(format_names[i]))) {
            *out = (enum format)i;
            return true;
        }
    return false;
}
