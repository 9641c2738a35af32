/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/rendering.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdio.h>

static struct text time_text(int64_t us, struct arena *arena)
{
    char out[TIMESTAMP_LEN + 1];
    timestamp_format(us, out);
    return arena_copy(arena, text_of(out));
}

static struct text priority(const struct rendering *r, struct arena *arena)
{
    char out[16];
    (void)snprintf(out, sizeof out, "P%d", r->delivery->priority);
    return r->delivery->priority ? arena_copy(arena, text_of(out)) : TEXT_NONE;
}

static struct text milliseconds(const struct rendering *r, struct arena *arena)
{
    char out[32];
    (void)snprintf(out, sizeof out, "%lld", (long long)(r->delivery->queued_us / 1000));
    return arena_copy(arena, text_of(out));
}

static struct text kind(const struct rendering *r, struct arena *arena)
{
    (void)arena;
    return text_of(incidents_notice_name(r->delivery->kind));
}

static struct text delivery_id(const struct rendering *r, struct arena *arena)
{
    (void)arena;
    return r->delivery->id;
}

static struct text delivery_subject(const struct rendering *r, struct arena *arena)
{
    (void)arena;
    return r->delivery->incident.len ? r->delivery->incident : r->delivery->id;
}

static struct text delivery_time(const struct rendering *r, struct arena *arena)
{
    return time_text(r->delivery->queued_us, arena);
}

static struct text delivery_in_7d(const struct rendering *r, struct arena *arena)
{
    return time_text(r->delivery->queued_us + 7 * INT64_C(86400000000), arena);
}

static struct text delivery_repeat(const struct rendering *r, struct arena *arena)
{
    (void)arena;
    return r->delivery->may_be_duplicate ? TEXT(" (may be a repeat)") : TEXT("");
}

static struct text subject(const struct rendering *r, struct arena *arena)
{
    (void)arena;
    return r->subject;
}

static struct text facts(const struct rendering *r, struct arena *arena)
{
    (void)arena;
    return r->facts;
}

static const struct name {
    const char *path;
    struct text (*find)(const struct rendering *r, struct arena *arena);
} names[] = {
    {"subject", subject},
    {"facts", facts},
    {"notice.kind", kind},
    {"notice.priority", priority},
    {"delivery.id", delivery_id},
    {"delivery.subject", delivery_subject},
    {"delivery.time", delivery_time},
    {"delivery.in_7d", delivery_in_7d},
    {"delivery.milliseconds", milliseconds},
    {"delivery.repeat", delivery_repeat},
};
enum { NAMES = sizeof names / sizeof *names };

static bool behind(struct text *path, struct text prefix)
{
    bool is_there = text_starts(*path, prefix);
    if (is_there)
        *path = text_skip(*path, prefix.len);
    return is_there;
}

static uint32_t option_of(const struct preset *p, struct text name)
{
    uint32_t i = 0;
    while (i < p->option_count && !text_equal(p->options[i].name, name))
        i++;
    return i;
}

static bool is_taken(const struct preset *p, struct text name)
{
    for (uint32_t i = 0; i < p->request_count; i++) {
        for (uint32_t t = 0; t < p->requests[i].take_count; t++) {
            if (text_equal(p->requests[i].takes[t].key, name))
                return true;
        }
    }
    return false;
}

bool rendering_knows(const struct preset *p, struct text path)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (text_equal(path, text_of(names[i].path)))
            return true;
    }
    if (behind(&path, TEXT("option.")))
        return option_of(p, path) < p->option_count;
    if (behind(&path, TEXT("taken.")))
        return is_taken(p, path);
    return text_starts(path, TEXT("incident."));
}

struct text rendering_taken(const struct rendering *r, struct text name)
{
    for (uint32_t i = 0; i < r->taken_count; i++) {
        if (text_equal(r->taken[i].key, name))
            return r->taken[i].value;
    }
    return TEXT_NONE;
}

static struct text find(const struct rendering *r, struct text path, struct arena *arena)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (text_equal(path, text_of(names[i].path)))
            return names[i].find(r, arena);
    }
    if (behind(&path, TEXT("option."))) {
        uint32_t i = option_of(r->preset, path);
        return i < r->preset->option_count ? r->options[i] : TEXT_NONE;
    }
    return behind(&path, TEXT("taken.")) ? rendering_taken(r, path) : TEXT_NONE;
}

static struct text quoted(struct text value, struct arena *arena)
{
    struct buffer b;
    buffer_init(&b, 1 << 20);
    json_write_string(&b, NULL, value);
    struct text out = arena_copy(arena, buffer_text(&b));
    buffer_fini(&b);
    return out;
}

struct text rendering_find(void *context, struct text path, bool as_json, struct arena *arena)
{
    const struct rendering *r = context;
    if (behind(&path, TEXT("incident.")))
        return as_json ? document_json(r->document, path, arena)
                       : document_text(r->document, path, arena);
    struct text value = find(r, path, arena);
    return as_json ? quoted(value, arena) : value;
}

struct text rendering_map(void *context, struct text table, struct text key)
{
    const struct rendering *r = context;
    return preset_map(r->preset, table, key);
}
