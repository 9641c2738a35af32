/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping_parts.h"

/* The event as rules see it: each of its fields under the name that the mapping gives it. */

/* An object as such hides nothing: its members are fields of their own. */
static bool has_leaf(const struct event *event, struct text name)
{
    const uint64_t hash = event_name_hash(name);
    for (uint32_t i = 0; i < event->field_count; i++)
        if (event->fields[i].hash == hash && event->fields[i].type != VALUE_OBJECT &&
            text_equal(event->fields[i].name, name))
            return true;
    return false;
}

/* Adds every field called `from` of the event's own as `to`. False where there is none. */
static bool add_as(struct event *event, uint32_t own, struct text from, struct text to)
{
    const uint64_t hash = event_name_hash(from);
    bool is_there = false;
    for (uint32_t i = 0; i < own; i++) {
        struct field f = event->fields[i];
        if (f.hash != hash || !text_equal(f.name, from))
            continue;
        is_there = true;
        f.name = to;
        f.hash = event_name_hash(to);
        if (f.type != VALUE_OBJECT)
            (void)event_add_field(event, &f);
    }
    return is_there;
}

static void add_named(const struct mapping_field *field, struct event *event, uint32_t own)
{
    if (has_leaf(event, field->name))
        return;
    for (uint32_t i = 0; i < field->targets.count; i++)
        if (add_as(event, own, field->targets.items[i], field->name))
            return;
}

/* What of `name` stands where the target has its star; at NULL: it is no such name. */
static struct text starred(struct text target, struct text name)
{
    const size_t star = text_find_byte(target, '*');
    const struct text tail = text_skip(target, star + 1);
    if (star == target.len || name.len <= star + tail.len ||
        !text_starts(name, text_head(target, star)) || !text_ends(name, tail))
        return TEXT_NONE;
    return (struct text){name.at + star, name.len - star - tail.len};
}

static void add_starred(const struct mapping_field *field, struct event *event, uint32_t own)
{
    for (uint32_t t = 0; t < field->targets.count; t++)
        for (uint32_t i = 0; i < own; i++) {
            const struct text from = event->fields[i].name;
            const struct text to = starred(field->targets.items[t], from);
            if (to.at && !has_leaf(event, to))
                (void)add_as(event, own, from, to);
        }
}

void mapping_view_add_names(const struct mapping_set *s, struct event *event)
{
    if (!event->mapping || event->mapping > s->count)
        return;
    const struct mapping *m = s->mappings[event->mapping - 1];
    const uint32_t own = event->field_count;
    for (uint32_t i = 0; i < m->field_count; i++)
        if (!text_equal(m->fields[i].name, TEXT("*")))
            add_named(&m->fields[i], event, own);
    for (uint32_t i = 0; i < m->field_count; i++)
        if (text_equal(m->fields[i].name, TEXT("*")))
            add_starred(&m->fields[i], event, own);
}
