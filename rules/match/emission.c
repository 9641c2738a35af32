/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/emission.h"
#include "rules/match/cidr.h"
#include "rules/match/grow.h"

static bool keep_feed(struct matcher *m, struct match_result *out, const struct feed *feed)
{
    if (!GROW(m->feeds, out->feed_count, m->feed_max))
        return false;
    out->feeds = m->feeds;
    out->feeds[out->feed_count++] = *feed;
    return true;
}

/* Copies what was found into one block of the arena. */
static const struct subject *make_subject(struct arena *arena, const struct text *group,
                                          uint32_t group_count, const struct entity *entities,
                                          uint32_t entity_count)
{
    size_t group_bytes = group_count * sizeof *group;
    size_t bytes = sizeof(struct subject) + group_bytes + entity_count * sizeof *entities;
    char *block = arena_alloc(arena, bytes);
    if (!block)
        return NULL;
    struct subject *s = (struct subject *)(void *)block;
    struct text *to_group = (struct text *)(void *)(block + sizeof *s);
    struct entity *to_entities = (struct entity *)(void *)(block + sizeof *s + group_bytes);
    if (group_count)
        memcpy(to_group, group, group_bytes);
    if (entity_count)
        memcpy(to_entities, entities, entity_count * sizeof *entities);
    *s = (struct subject){to_group, group_count, to_entities, entity_count};
    return s;
}

/* ---- correlations ---- */

const struct entity_refs *emission_declared(const struct matcher *m, const struct event *e)
{
    const struct entity_defaults *d = &m->ruleset->defaults;
    if (m->decoder && m->decoded == e) {
        const uint32_t place = decoder_place(m->decoder);
        if (place < d->decoder_count && d->decoder[place].count)
            return &d->decoder[place];
    }
    if (e->mapping && e->mapping < d->mapping_count && d->mapping[e->mapping].count)
        return &d->mapping[e->mapping];
    return NULL;
}

/* A group-by field whose name says nothing: declared for this event, or an address by its value. */
static bool tell_kind(const struct matcher *m, const struct event *e, struct entity_ref *ref)
{
    const struct entity_refs *declared = emission_declared(m, e);
    for (uint32_t i = 0; declared && i < declared->count; i++)
        if (declared->items[i].field == ref->field) {
            *ref = declared->items[i];
            return true;
        }
    struct address address;
    if (!cidr_parse_address(text_trim(entities_text(m->view, ref->field)), &address))
        return false;
    ref->kind = ENTITY_ADDRESS;
    return true;
}

static struct entity_ref at_place(const struct entity_ref *from, const struct feed_spec *spec)
{
    struct entity_ref ref = *from;
    ref.field = spec->group[from->field];
    return ref;
}

/* Said by the correlation, else its group-by fields; those of no kind only where there is no other,
 * then as services. */
static struct entity_refs feed_refs(const struct matcher *m, const struct event *e,
                                    const struct feed_spec *spec,
                                    struct entity_ref room[CORRELATION_GROUP])
{
    const struct relation *r = &m->ruleset->relations[spec->correlation];
    const struct entity_refs *named = &m->ruleset->group_entities[spec->correlation];
    const struct entity_refs *others = &m->ruleset->group_others[spec->correlation];
    uint32_t count = 0;
    if (r->entities.count)
        return r->entities;
    for (uint32_t i = 0; i < named->count; i++)
        room[count++] = at_place(&named->items[i], spec);
    for (uint32_t i = 0; i < others->count; i++) {
        room[count] = at_place(&others->items[i], spec);
        count += tell_kind(m, e, &room[count]);
    }
    for (uint32_t i = 0; !count && i < others->count; i++)
        room[i] = at_place(&others->items[i], spec);
    return (struct entity_refs){room, count ? count : others->count};
}

static void read_value(struct matcher *m, const struct correlation *c, const struct feed_spec *spec,
                       struct feed *feed)
{
    struct text values[CORRELATION_GROUP];
    char room[CORRELATION_GROUP][16];
    feed->has_value = true;
    if (!c->value_count)
        return;
    for (uint32_t i = 0; i < c->value_count; i++) {
        struct text t = entities_text(m->view, spec->value[i]);
        values[i] = t.at ? cidr_canonical(t, room[i]) : t; /* an address is one, however written */
        feed->has_value = feed->has_value && values[i].at;
    }
    if (!feed->has_value)
        return;
    if (c->type == CORRELATION_VALUE_COUNT)
        feed->distinct = correlation_distinct(values, c->value_count);
    else
        feed->has_value = fixed_parse(text_trim(values[0]), &feed->number);
}

static void emit_feed(struct matcher *m, const struct event *e, const struct feed_spec *spec,
                      struct arena *arena, struct match_result *out)
{
    const struct correlation *c = &m->ruleset->correlations[spec->correlation];
    struct text group[CORRELATION_GROUP];
    struct entity entities[ENTITIES_MOST];
    struct entity_ref room[CORRELATION_GROUP];
    bool is_full = false;
    if (!entities_group(m->view, spec->group, c->group_count, arena, group, &is_full)) {
        out->refused += is_full;
        m->groups_without_field += !is_full;
        return;
    }
    struct entity_refs refs = feed_refs(m, e, spec, room);
    uint32_t count = entities_find(m->view, e, &refs, m->ruleset->defaults.host, arena, entities);
    struct feed feed = {
        .correlation = c,
        .input = spec->input,
        .key = correlation_key(c, group, c->group_count),
        .event_us = e->event_us,
        .position = e->record->position,
        .released = e->record->position,
        .record = e->record,
        .subject = make_subject(arena, group, c->group_count, entities, count),
    };
    read_value(m, c, spec, &feed);
    /* repeats are events of their own: a microsecond apart, for one event counts once in a window
     */
    for (int64_t left = e->repeated > 1 ? e->repeated : 1; left > 0; left--) {
        feed.event_us = e->event_us - (left - 1);
        if (!feed.subject || !keep_feed(m, out, &feed))
            out->refused++;
    }
}

/* ---- detections ---- */

static const struct entity_refs *rule_refs(const struct matcher *m, const struct event *e,
                                           const struct compiled *c)
{
    if (c->entities.count)
        return &c->entities;
    const struct entity_refs *declared = emission_declared(m, e);
    return declared ? declared : &m->ruleset->defaults.usual;
}

static void emit_detection(struct matcher *m, const struct event *e, const struct compiled *c,
                           struct arena *arena, struct match_result *out)
{
    struct entity entities[ENTITIES_MOST];
    uint32_t count =
        entities_find(m->view, e, rule_refs(m, e, c), m->ruleset->defaults.host, arena, entities);
    const struct subject *subject = make_subject(arena, NULL, 0, entities, count);
    struct detection *d = arena_alloc(arena, sizeof *d);
    uint64_t *evidence = arena_alloc(arena, sizeof *evidence);
    if (!subject || !d || !evidence ||
        !GROW(m->detections, out->detection_count, m->detection_max)) {
        out->refused++;
        return;
    }
    *evidence = e->record->position;
    *d = (struct detection){
        .id = detection_make_id(&c->rule, subject, record_identity(e->record), 0),
        .rule = &c->rule,
        .event_us = e->event_us,
        .journal_us = e->record->journal_us,
        .position = e->record->position,
        .released = e->record->position,
        .subject = subject,
        .record = e->record,
        .evidence = evidence,
        .evidence_count = 1,
        .evidence_total = 1,
    };
    out->detections = m->detections;
    out->detections[out->detection_count++] = d;
}

void emission_run(struct matcher *m, const struct event *e, const struct compiled *c,
                  struct arena *arena, struct match_result *out)
{
    for (uint32_t i = 0; i < c->feed_count; i++)
        if (!c->feeds[i].unless || !evaluation_holds(&m->evaluation, c->feeds[i].unless))
            emit_feed(m, e, &c->feeds[i], arena, out);
    if (c->rule.is_reported)
        emit_detection(m, e, c, arena, out);
}
