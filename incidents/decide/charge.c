/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/charge.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/decide/reweigh.h"
#include "incidents/state/tables_save.h"

/* Below this a candidate has faded: the next detection starts afresh. */
static const double faded_score = 1;

struct candidate *charge_candidate(const struct charger *charger, enum entity_kind kind,
                                   struct text value)
{
    struct candidate *candidate = tables_candidate(charger->tables, kind, value);
    return candidate
               ? candidate
               : tables_add_candidate(charger->tables, charger->changes->counters, kind, value);
}

static void fade(const struct charger *charger, struct candidate *candidate, int64_t t_us)
{
    if (candidate->incident || !candidate->member_count)
        return;
    if (candidate_read(candidate, t_us, charger->tables->half_life_us).score >= faded_score)
        return;
    tables_save_reset(charger->changes, candidate);
    candidate_reset(candidate);
}

struct member *charge_member(const struct charger *charger, struct candidate *candidate,
                             const struct charge *charge, bool *out_is_new)
{
    struct text tactic = string_pool_keep(&charger->tables->strings, charge->tactic);
    struct text family = string_pool_keep(&charger->tables->strings, charge->family);
    fade(charger, candidate, charge->t_us);
    struct member *m =
        tactic.at && family.at ? candidate_member(candidate, tactic, family, out_is_new) : NULL;
    if (!m) {
        COUNT(charger->changes->counters, members_left_out);
        return NULL;
    }
    double mark = score_mark(charge->chance, charge->t_us, charger->tables->half_life_us);
    if (mark > m->mark) {
        m->mark = mark;
        m->chance = charge->chance;
        m->level = charge->level;
        m->rule = string_pool_keep(&charger->tables->strings, charge->rule);
        m->title = string_pool_keep(&charger->tables->strings, charge->title);
        tables_save_mark(charger->changes, candidate, m);
    }
    charger->changes->is_urgent |= *out_is_new;
    tables_touch_candidate(charger->tables, candidate);
    return m;
}

/* Receipt as journal time says it: over files that is event time, and a replay gives the same. */
static int64_t received(const struct detection *detection)
{
    return detection->record && detection->record->journal_us > 0 ? detection->record->journal_us
                                                                  : detection->journal_us;
}

/* A future date would hold a score up for as long. */
static int64_t clamp_time(const struct detection *detection)
{
    return received(detection) > 0 && detection->event_us > received(detection)
               ? received(detection)
               : detection->event_us;
}

static void keep_positions(struct member *m, const struct detection *detection)
{
    const uint64_t *evidence =
        detection->evidence_count ? detection->evidence : &detection->position;
    uint32_t count = detection->evidence_count ? detection->evidence_count : 1;
    for (uint32_t p = 0; p < count && detection->record; p++) {
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

static void count_detection(struct candidate *candidate, struct member *m,
                            const struct detection *detection, int64_t t_us)
{
    if (!candidate->detections++) {
        ident_make("cnd_", detection->journal_us, detection->id, candidate->id);
        /* Two entities of one detection are two candidates. */
        candidate->id[IDENT_LEN - 1] =
            "0123456789ABCDEF"[entity_hash(candidate->kind, candidate->value) & 15];
        candidate->alert_us = detection->journal_us;
        candidate->received_us = received(detection);
        candidate->is_backfill = received(detection) - t_us > HOUR_US;
        candidate->first_us = candidate->last_us = t_us;
    }
    if (t_us - detection->lead_us < candidate->first_us)
        candidate->first_us = t_us - detection->lead_us;
    if (t_us > candidate->last_us)
        candidate->last_us = t_us;
    if (!m->count++)
        m->first_us = m->last_us = t_us;
    if (t_us < m->first_us)
        m->first_us = t_us;
    if (t_us > m->last_us)
        m->last_us = t_us;
    keep_positions(m, detection);
}

static void tell_noise(const struct charger *charger, const struct detection *detection)
{
    struct buffer data;
    buffer_init(&data, 1 << 16);
    json_write_string(&data, "rule", detection->rule->key);
    json_write_string(&data, "title", detection->rule->title);
    json_write_uint(&data, "max_entities", detection->rule->max_entities);
    outbox_tell(charger->outbox, charger->changes,
                &(struct outbox_general){NOTICE_DIGEST, "rule.noisy", 4, buffer_text(&data)},
                detection->journal_us);
    buffer_fini(&data);
}

static bool is_held(const struct charger *charger, const struct detection *detection,
                    const struct entity *e, int64_t t_us)
{
    bool is_first = false;
    if (!e->is_charged || inventory_is_nobody(e->kind, e->value) ||
        inventory_find(charger->tables->inventory, e->kind, e->value)->is_excluded)
        return true;
    if (restraints_except(charger->restraints, e->kind, e->value, detection->rule->family, t_us)) {
        COUNT(charger->changes->counters, excepted);
        return true;
    }
    bool is_noise = !detection->is_renewal &&
                    restraints_are_loud(charger->restraints, charger->changes, detection->rule,
                                        entity_hash(e->kind, e->value), t_us, &is_first);
    if (is_first)
        tell_noise(charger, detection);
    if (is_noise)
        COUNT(charger->changes->counters, noise_held);
    return is_noise;
}

/* Values are kept in documents, which are UTF-8: other bytes become the characters U+0080..U+00FF
 * here already, so that the entity is the same before and after a start. */
static struct text clean(struct arena *arena, struct text value)
{
    if (text_is_utf8(value))
        return value;
    char *out = arena_bytes(arena, value.len * 2);
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

static bool is_charged_already(const struct charging *g, const struct candidate *candidate)
{
    for (uint32_t k = 0; k < g->count; k++)
        if (g->all[k].candidate == candidate)
            return true;
    return false;
}

/* A condition that stays true keeps what it charged from fading; it adds nothing. */
static void renew(const struct charger *charger, const struct detection *detection,
                  const struct entity *e, double chance, int64_t t_us)
{
    struct candidate *candidate = tables_candidate(charger->tables, e->kind, e->value);
    if (!candidate || (candidate->episode_us != TIMESTAMP_NONE && t_us < candidate->episode_us))
        return;
    for (uint32_t m = 0; m < candidate->member_count; m++) {
        struct member *at = &candidate->members[m];
        double mark = score_mark(chance, t_us, charger->tables->half_life_us);
        if (mark <= at->mark || !text_equal(at->tactic, detection->rule->tactic) ||
            !text_equal(at->family, detection->rule->family))
            continue;
        at->mark = mark;
        at->chance = chance;
        at->last_us = t_us > at->last_us ? t_us : at->last_us;
        candidate->last_us = t_us > candidate->last_us ? t_us : candidate->last_us;
        tables_save_mark(charger->changes, candidate, at);
        tables_touch_candidate(charger->tables, candidate);
        if (!candidate->incident)
            return;
        (void)reweigh(charger->tables, candidate->incident, charger->changes);
        tables_touch_incident(charger->tables, candidate->incident);
        return;
    }
}

static void charge_one(const struct charger *charger, const struct detection *detection,
                       const struct entity *e, double chance, struct charging *g)
{
    struct candidate *candidate = charge_candidate(charger, e->kind, e->value);
    if (!candidate || is_charged_already(g, candidate))
        return;
    if (candidate->episode_us != TIMESTAMP_NONE && g->t_us < candidate->episode_us) {
        COUNT(charger->changes->counters, late);
        return;
    }
    const struct charge charge = {detection->rule->tactic,
                                  detection->rule->family,
                                  detection->rule->key,
                                  detection->rule->title,
                                  detection->rule->level,
                                  chance,
                                  g->t_us};
    struct charged *at = &g->all[g->count];
    *at = (struct charged){.candidate = candidate};
    at->member = charge_member(charger, candidate, &charge, &at->is_new_member);
    if (!at->member)
        return;
    count_detection(candidate, at->member, detection, g->t_us);
    at->score = candidate_read(candidate, candidate->last_us, charger->tables->half_life_us).score;
    at->crosses = !candidate->incident && detection->rule->open != OPEN_NEVER &&
                  (at->score >= charger->threshold || detection->rule->open == OPEN_ALWAYS);
    g->count++;
}

void charge_detection(const struct charger *charger, const struct detection *detection,
                      struct charging *out)
{
    *out = (struct charging){.t_us = clamp_time(detection)};
    double chance = score_chance(detection->rule->level,
                                 verdicts_confidence(charger->verdicts, detection->rule));
    if (detection->rule->is_shadow) {
        COUNT(charger->changes->counters, shadowed);
        return;
    }
    if (chance <= 0 && detection->rule->open != OPEN_ALWAYS) {
        COUNT(charger->changes->counters, uncharged);
        return;
    }
    if (!detection->is_renewal &&
        restraints_suppress(charger->restraints, charger->changes, detection, out->t_us)) {
        COUNT(charger->changes->counters, suppressed);
        return;
    }
    uint32_t named = 0;
    for (uint32_t e = 0; e < detection->subject->entity_count; e++) {
        struct entity own = detection->subject->entities[e];
        const struct entity *entity = &own;
        own.value = clean(&charger->changes->scratch, own.value);
        named += entity->is_charged && !inventory_is_nobody(entity->kind, entity->value);
        if (out->count >= CHARGE_ENTITIES || is_held(charger, detection, entity, out->t_us))
            continue;
        if (detection->is_renewal)
            renew(charger, detection, entity, chance, out->t_us);
        else
            charge_one(charger, detection, entity, chance, out);
    }
    if (!named && !detection->is_renewal && detection->rule->open == OPEN_ALWAYS) {
        /* Nobody to charge, yet it must open: the rule itself stands for the entity. */
        const struct entity self = {detection->rule->key, ENTITY_SERVICE, true};
        charge_one(charger, detection, &self, chance, out);
    }
    if (!out->count && !detection->is_renewal)
        COUNT(charger->changes->counters, uncharged);
}
