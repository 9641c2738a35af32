/* SPDX-License-Identifier: Apache-2.0 */
#include "base/detection.h"
#include "base/json_write.h"

struct hash128 detection_make_id(const struct rule *rule, const struct subject *subject,
                                 struct hash128 identity, uint32_t ordinal)
{
    struct hasher h;
    hash_start(&h);
    hash_part(&h, &rule->content, sizeof rule->content);
    hash_part_u64(&h, subject->group_count);
    for (uint32_t i = 0; i < subject->group_count; i++)
        hash_part_text(&h, subject->group[i]);
    hash_part(&h, &identity, sizeof identity);
    hash_part_u64(&h, ordinal);
    return hash_end(&h);
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_group(const struct subject *a, const struct subject *b)
{
    for (uint32_t i = 0; i < a->group_count && i < b->group_count; i++) {
        int order = text_compare(a->group[i], b->group[i]);
        if (order)
            return order;
    }
    return compare_u64(a->group_count, b->group_count);
}

int detection_compare(const struct detection *a, const struct detection *b)
{
    int order = compare_u64(a->released, b->released);
    if (!order)
        order = (a->turn > b->turn) - (a->turn < b->turn);
    if (!order)
        order = a->event_us < b->event_us ? -1 : a->event_us > b->event_us;
    if (!order)
        order = compare_u64(a->position, b->position);
    if (!order)
        order = compare_u64(a->depth, b->depth);
    if (!order)
        order = text_compare(a->rule->key, b->rule->key);
    if (!order)
        order = compare_group(a->subject, b->subject);
    return order ? order : hash_compare(a->id, b->id);
}

static void write_rule(const struct rule *rule, struct buffer *out)
{
    json_write_open(out, "rule", '{');
    if (rule->id.len)
        json_write_string(out, "id", rule->id);
    if (rule->name.len)
        json_write_string(out, "name", rule->name);
    json_write_string(out, "title", rule->title);
    json_write_close(out, '}');
}

void detection_write(const struct detection *d, struct text input, struct buffer *out)
{
    const struct rule *rule = d->rule;
    char id[33];
    hash_to_hex(d->id, id);
    json_write_open(out, NULL, '{');
    json_write_uint(out, "line", d->position);
    if (input.len)
        json_write_string(out, "input", input);
    json_write_time(out, "time", d->event_us);
    json_write_string(out, "kind",
                      rule->kind == RULE_DETECTION ? TEXT("rule") : TEXT("correlation"));
    write_rule(rule, out);
    json_write_string(out, "level", text_of(rule_level_name(rule->level)));
    json_write_open(out, "group", '{');
    for (uint32_t i = 0; i < d->subject->group_count && i < rule->group_count; i++)
        json_write_named_string(out, rule->group[i], d->subject->group[i]);
    json_write_close(out, '}');
    json_write_open(out, "entities", '[');
    for (uint32_t i = 0; i < d->subject->entity_count; i++) {
        const struct entity *e = &d->subject->entities[i];
        json_write_open(out, NULL, '{');
        json_write_string(out, "kind", text_of(correlation_entity_name(e->kind)));
        json_write_string(out, "value", e->value);
        json_write_close(out, '}');
    }
    json_write_close(out, ']');
    json_write_open(out, "evidence", '[');
    for (uint32_t i = 0; i < d->evidence_count; i++)
        json_write_uint(out, NULL, d->evidence[i]);
    json_write_close(out, ']');
    if (d->evidence_total > d->evidence_count)
        json_write_uint(out, "evidence_total", d->evidence_total);
    if (rule->is_shadow)
        json_write_bool(out, "shadow", true);
    json_write_string(out, "id", (struct text){id, 32});
    json_write_close(out, '}');
    buffer_byte(out, '\n');
}
