/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/explaining.h"
#include "base/json_write.h"
#include "correlator/ruleset_map.h"
#include "correlator/window_condition.h"
#include "correlator/window_lru.h"

static const char *type_name(enum correlation_type type)
{
    static const char *const names[] = {"event_count",      "value_count", "temporal",
                                        "temporal_ordered", "value_sum",   "value_avg",
                                        "value_percentile", "value_median"};
    return names[type];
}

static const char *bound_name(enum bound_operator operator)
{
    static const char *const names[] = {"lt", "lte", "gt", "gte", "eq", "neq"};
    return names[operator];
}

static void write_number(struct buffer *out, const char *name, fixed128 value)
{
    char digits[48];
    size_t len = fixed_format(value, digits);
    json_write_raw(out, name, (struct text){digits, len});
}

static void write_needed(const struct correlation *c, struct buffer *out)
{
    json_write_open(out, "needed", '{');
    for (uint32_t i = 0; i < c->bound_count; i++)
        write_number(out, bound_name(c->bounds[i].operator), c->bounds[i].than);
    if (!c->bound_count)
        json_write_uint(out, c->step_count ? "of_inputs" : "all_inputs", c->input_count);
    json_write_close(out, '}');
}

static void write_missing(const struct rule_state *r, const struct window *w, struct buffer *out)
{
    uint64_t present = 0;
    for (uint32_t i = 0; i < w->count; i++)
        present |= UINT64_C(1) << window_tag_input(window_at(w, &r->shape, i)->tag);
    json_write_open(out, "missing_inputs", '[');
    for (uint32_t i = 0; i < r->correlation->input_count; i++)
        if (!(present >> i & 1))
            json_write_uint(out, NULL, i);
    json_write_close(out, ']');
}

static void write_events(const struct rule_state *r, const struct window *w, struct buffer *out)
{
    enum { MOST = 64 };
    bool has_inputs = r->shape.kind == WINDOW_INPUT || r->shape.kind == WINDOW_ORDERED;
    json_write_open(out, "events", '[');
    for (uint32_t i = w->count > MOST ? w->count - MOST : 0; i < w->count; i++) {
        const struct entry *e = window_at(w, &r->shape, i);
        json_write_open(out, NULL, '{');
        json_write_time(out, "time", e->event_us);
        json_write_uint(out, "position", window_tag_position(e->tag));
        if (has_inputs)
            json_write_uint(out, "input", window_tag_input(e->tag));
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
}

static void write_window(const struct shard *s, const struct rule_state *r, const struct window *w,
                         struct buffer *out)
{
    json_write_open(out, "window", '{');
    json_write_time(out, "newest", w->newest_us);
    json_write_bool(out, "idle", window_lru_is_idle(r, w, window_lru_now(s)));
    if (r->shape.kind == WINDOW_SUBJECT) {
        json_write_bool(out, "silent", w->flags & WINDOW_SILENT);
    } else {
        write_number(out, "seen", window_condition_value(r, w));
        json_write_bool(out, "holds", window_condition_holds(r, w));
        json_write_bool(out, "has_fired", w->flags & WINDOW_TRUE);
        if (r->correlation->first_seen_remember_us > 0)
            json_write_bool(out, "known", w->flags & WINDOW_KNOWN);
        if (r->shape.kind == WINDOW_INPUT || r->shape.kind == WINDOW_ORDERED)
            write_missing(r, w, out);
        write_events(r, w, out);
    }
    json_write_close(out, '}');
}

static void write_late(const struct shard *s, struct hash128 key, struct buffer *out)
{
    uint64_t first = s->late_count > SHARD_LATE ? s->late_count - SHARD_LATE : 0;
    json_write_open(out, "late", '[');
    for (uint64_t i = first; i < s->late_count; i++) {
        const struct late_event *e = &s->late[i % SHARD_LATE];
        if (!hash_equal(e->key, key))
            continue;
        json_write_open(out, NULL, '{');
        json_write_time(out, "time", e->event_us);
        json_write_uint(out, "position", e->position);
        write_number(out, "seconds_late", (fixed128)e->late_us * 1000);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
}

void explaining_write(const struct shard *s, const struct correlation *c, struct hash128 key,
                      struct buffer *out)
{
    uint32_t rule = ruleset_map_find(s, c);
    uint32_t number = window_store_find(&s->store, key);
    json_write_open(out, NULL, '{');
    json_write_string(out, "rule", c->rule->key);
    json_write_string(out, "type", text_of(type_name(c->type)));
    write_number(out, "timespan_seconds", (fixed128)c->timespan_us * 1000);
    write_needed(c, out);
    if (rule == WINDOW_NONE || number == WINDOW_NONE)
        json_write_null(out, "window");
    else
        write_window(s, &s->rules[rule], window_store_at(&s->store, number), out);
    write_late(s, key, out);
    json_write_close(out, '}');
}
