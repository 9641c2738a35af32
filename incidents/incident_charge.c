/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/incident_charge.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/incidents_key.h"
#include "incidents/outbox.h"
#include "incidents/persist.h"
#include "incidents/restraint.h"
#include "incidents/rule_verdict.h"

/* Below this a candidate has faded: the next detection starts afresh. */
static const double faded_score = 1;

struct candidate *incident_detect_candidate(struct incidents *i, enum entity_kind kind,
                                            struct text value)
{
    struct candidate *c = incidents_key_candidate(i, kind, value);
    if (c)
        return c;
    if (i->candidates.count >= CANDIDATES_MAX) {
        COUNT(i, entities_refused);
        return NULL;
    }
    c = candidate_new(kind, value);
    if (!c || hash_table_put(&i->candidates, &c->link, candidate_hash(kind, value)) != STATUS_OK) {
        COUNT(i, no_memory);
        candidate_free(c);
        return NULL;
    }
    c->criticality = inventory_find(i->inventory, kind, value)->criticality;
    return c;
}

static void fade(struct incidents *i, struct candidate *c, int64_t t_us)
{
    if (c->incident || !c->member_count)
        return;
    if (candidate_read(c, t_us, i->half_life_us).score >= faded_score)
        return;
    struct effect *e = incidents_effect(i);
    if (e)
        EFFECT(e, TEXT("DEL"), persist_score_key(i, c));
    candidate_reset(c);
}

struct member *incident_detect_charge(struct incidents *i, struct candidate *c,
                                      const struct charge *charge, bool *out_is_new)
{
    struct text tactic = string_pool_keep(&i->words, charge->tactic);
    struct text family = string_pool_keep(&i->words, charge->family);
    fade(i, c, charge->t_us);
    struct member *m =
        tactic.at && family.at ? candidate_member(c, tactic, family, out_is_new) : NULL;
    if (!m) {
        COUNT(i, members_left_out);
        return NULL;
    }
    double mark = score_mark(charge->chance, charge->t_us, i->half_life_us);
    if (mark > m->mark) {
        m->mark = mark;
        m->chance = charge->chance;
        m->level = charge->level;
        m->rule = string_pool_keep(&i->words, charge->rule);
        m->title = string_pool_keep(&i->words, charge->title);
        persist_mark(i, c, m);
    }
    i->is_urgent |= *out_is_new;
    incidents_touch_candidate(i, c);
    return m;
}

/* Receipt as journal time says it: over files that is event time, and a replay gives the same. */
static int64_t received(const struct detection *d)
{
    return d->record && d->record->journal_us > 0 ? d->record->journal_us : d->journal_us;
}

/* A future date would hold a score up for as long. */
static int64_t clamp_time(const struct detection *d)
{
    return received(d) > 0 && d->event_us > received(d) ? received(d) : d->event_us;
}

static void keep_positions(struct member *m, const struct detection *d)
{
    const uint64_t *evidence = d->evidence_count ? d->evidence : &d->position;
    uint32_t count = d->evidence_count ? d->evidence_count : 1;
    for (uint32_t p = 0; p < count && d->record; p++) {
        if (m->last_count && m->last[m->last_count - 1] == evidence[p])
            continue; /* two rules of a family saw the same line */
        if (m->first_count < MEMBER_POSITIONS)
            m->first[m->first_count++] = evidence[p];
        if (m->last_count == MEMBER_POSITIONS) {
            memmove(m->last, m->last + 1, (MEMBER_POSITIONS - 1) * sizeof m->last[0]);
            m->last_count--;
        }
        m->last[m->last_count++] = evidence[p];
    }
}

/* Stable for storage, unlike the hash of the table. */
static uint64_t entity_hash(enum entity_kind kind, struct text value)
{
    struct hasher h;
    hash_start(&h);
    hash_part_u64(&h, (uint64_t)kind);
    hash_part_text(&h, value);
    return hash_end(&h).lo;
}

static void count_detection(struct candidate *c, struct member *m, const struct detection *d,
                            int64_t t_us)
{
    if (!c->detections++) {
        ident_make("cnd_", d->journal_us, d->id, c->id);
        /* Two entities of one detection are two candidates. */
        c->id[IDENT_LEN - 1] = "0123456789ABCDEF"[entity_hash(c->kind, c->value) & 15];
        c->alert_us = d->journal_us;
        c->received_us = received(d);
        c->is_backfill = received(d) - t_us > HOUR_US;
        c->first_us = c->last_us = t_us;
    }
    if (t_us - d->lead_us < c->first_us)
        c->first_us = t_us - d->lead_us;
    if (t_us > c->last_us)
        c->last_us = t_us;
    if (!m->count++)
        m->first_us = m->last_us = t_us;
    if (t_us < m->first_us)
        m->first_us = t_us;
    if (t_us > m->last_us)
        m->last_us = t_us;
    keep_positions(m, d);
}

static void tell_noise(struct incidents *i, const struct detection *d)
{
    struct buffer data;
    buffer_init(&data, 1 << 16);
    json_write_string(&data, "rule", d->rule->key);
    json_write_string(&data, "title", d->rule->title);
    json_write_uint(&data, "max_entities", d->rule->max_entities);
    outbox_general(i, NOTICE_DIGEST, "rule.noisy", 4, buffer_text(&data), d->journal_us);
    buffer_fini(&data);
}

static bool is_held(struct incidents *i, const struct detection *d, const struct entity *e,
                    int64_t t_us)
{
    bool is_first = false;
    if (!e->is_charged || inventory_is_nobody(e->kind, e->value) ||
        inventory_find(i->inventory, e->kind, e->value)->is_excluded)
        return true;
    if (restraint_excepts(i, e->kind, e->value, d->rule->family, t_us)) {
        COUNT(i, excepted);
        return true;
    }
    bool is_noise = !d->is_renewal &&
                    restraint_is_noise(i, d->rule, entity_hash(e->kind, e->value), t_us, &is_first);
    if (is_first)
        tell_noise(i, d);
    if (is_noise)
        COUNT(i, noise_held);
    return is_noise;
}

/* Values are kept in documents, which are UTF-8: other bytes become the characters U+0080..U+00FF
 * here already, so that the entity is the same before and after a start. */
static struct text clean(struct incidents *i, struct text value)
{
    if (text_is_utf8(value))
        return value;
    char *out = arena_bytes(&i->scratch, value.len * 2);
    size_t len = 0;
    for (size_t at = 0; out && at < value.len;) {
        size_t step = text_utf8_len(text_skip(value, at));
        if (step) {
            memcpy(out + len, value.at + at, step);
            len += step;
            at += step;
            continue;
        }
        unsigned char byte = (unsigned char)value.at[at++];
        out[len++] = (char)(0xC0 | byte >> 6);
        out[len++] = (char)(0x80 | (byte & 0x3F));
    }
    return (struct text){out, out ? len : 0};
}

static bool is_charged_already(const struct charging *g, const struct candidate *c)
{
    for (uint32_t k = 0; k < g->count; k++)
        if (g->all[k].candidate == c)
            return true;
    return false;
}

/* A condition that stays true keeps what it charged from fading; it adds nothing. */
static void renew(struct incidents *i, const struct detection *d, const struct entity *e,
                  double chance, int64_t t_us)
{
    struct candidate *c = incidents_key_candidate(i, e->kind, e->value);
    if (!c || (c->episode_us != TIMESTAMP_NONE && t_us < c->episode_us))
        return;
    for (uint32_t m = 0; m < c->member_count; m++) {
        struct member *at = &c->members[m];
        double mark = score_mark(chance, t_us, i->half_life_us);
        if (mark <= at->mark || !text_equal(at->tactic, d->rule->tactic) ||
            !text_equal(at->family, d->rule->family))
            continue;
        at->mark = mark;
        at->chance = chance;
        at->last_us = t_us > at->last_us ? t_us : at->last_us;
        c->last_us = t_us > c->last_us ? t_us : c->last_us;
        persist_mark(i, c, at);
        incidents_touch_candidate(i, c);
        if (!c->incident)
            return;
        (void)incident_detect_reweigh(i, c->incident);
        incidents_touch_incident(i, c->incident);
        return;
    }
}

static void charge_one(struct incidents *i, const struct detection *d, const struct entity *e,
                       double chance, struct charging *g)
{
    struct candidate *c = incident_detect_candidate(i, e->kind, e->value);
    if (!c || is_charged_already(g, c))
        return;
    if (c->episode_us != TIMESTAMP_NONE && g->t_us < c->episode_us) {
        COUNT(i, late);
        return;
    }
    const struct charge charge = {d->rule->tactic, d->rule->family, d->rule->key, d->rule->title,
                                  d->rule->level,  chance,          g->t_us};
    struct charged *at = &g->all[g->count];
    *at = (struct charged){.candidate = c};
    at->member = incident_detect_charge(i, c, &charge, &at->is_new_member);
    if (!at->member)
        return;
    count_detection(c, at->member, d, g->t_us);
    at->score = candidate_read(c, c->last_us, i->half_life_us).score;
    at->crosses = !c->incident && d->rule->open != OPEN_NEVER &&
                  (at->score >= i->threshold || d->rule->open == OPEN_ALWAYS);
    g->count++;
}

void incident_charge_all(struct incidents *i, const struct detection *d, struct charging *out)
{
    *out = (struct charging){.t_us = clamp_time(d)};
    double chance = score_chance(d->rule->level, rule_verdict_confidence(i, d->rule));
    if (d->rule->is_shadow) {
        COUNT(i, shadowed);
        return;
    }
    if (chance <= 0 && d->rule->open != OPEN_ALWAYS) {
        COUNT(i, uncharged);
        return;
    }
    if (!d->is_renewal && restraint_suppresses(i, d, out->t_us)) {
        COUNT(i, suppressed);
        return;
    }
    uint32_t named = 0;
    for (uint32_t e = 0; e < d->subject->entity_count; e++) {
        struct entity own = d->subject->entities[e];
        const struct entity *entity = &own;
        own.value = clean(i, own.value);
        named += entity->is_charged && !inventory_is_nobody(entity->kind, entity->value);
        if (out->count >= INCIDENT_CHARGED || is_held(i, d, entity, out->t_us))
            continue;
        if (d->is_renewal)
            renew(i, d, entity, chance, out->t_us);
        else
            charge_one(i, d, entity, chance, out);
    }
    if (!named && !d->is_renewal && d->rule->open == OPEN_ALWAYS) {
        /* Nobody to charge, yet it must open: the rule itself stands for the entity. */
        const struct entity self = {d->rule->key, ENTITY_SERVICE, true};
        charge_one(i, d, &self, chance, out);
    }
    if (!out->count && !d->is_renewal)
        COUNT(i, uncharged);
}
