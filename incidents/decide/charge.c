/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/charge.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/decide/reweigh.h"
#include "incidents/state/tables_save.h"

/* Below this a candidate has faded: the next detection starts afresh. */
static const double faded_score = 1;

struct candidate *charge_candidate(const struct charger *charger, enum entity_kind kind,
                                   struct text value, double chance, int64_t t_us)
{
    struct candidate *candidate = tables_candidate(charger->tables, kind, value);
    return candidate
               ? candidate
               : tables_add_candidate(charger->tables, charger->changes, kind, value,
                                      score_mark(chance, t_us, charger->tables->half_life_us));
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

/* The member that is charged with `mark`; where there are too many, the one that weighs least gives
 * way. NULL, counted: none weighs less, or no memory. */
static struct member *take_member(const struct charger *charger, struct candidate *candidate,
                                  struct text tactic, struct text family, double mark,
                                  bool *out_is_new)
{
    struct member *m =
        tactic.at && family.at ? candidate_member(candidate, tactic, family, out_is_new) : NULL;
    if (m)
        return m;
    if (candidate->member_count == CANDIDATE_MEMBERS && family.at &&
        candidate_weakest(candidate)->mark < mark) {
        const struct member *weakest = candidate_weakest(candidate);
        COUNT(charger->changes->counters, members_given_up);
        tables_save_unmark(charger->changes, candidate, weakest);
        candidate_drop(candidate, weakest);
        m = candidate_member(candidate, tactic, family, out_is_new);
    }
    if (!m)
        COUNT(charger->changes->counters, members_left_out);
    return m;
}

/* Of rules of one family that weigh the same the first speaks for it; another one brings evidence
 * of its own. */
static void speak_for(const struct charger *charger, struct member *m, const struct charge *charge)
{
    struct text rule = string_pool_keep(&charger->tables->strings, charge->rule);
    if (!text_equal(rule, m->rule))
        m->first_count = m->last_count = 0;
    m->chance = charge->chance;
    m->level = charge->level;
    m->rule = rule;
    m->title = string_pool_keep(&charger->tables->strings, charge->title);
}

struct member *charge_member(const struct charger *charger, struct candidate *candidate,
                             const struct charge *charge, bool *out_is_new)
{
    struct text tactic = string_pool_keep(&charger->tables->strings, charge->tactic);
    struct text family = string_pool_keep(&charger->tables->strings, charge->family);
    fade(charger, candidate, charge->t_us);
    double mark = score_mark(charge->chance, charge->t_us, charger->tables->half_life_us);
    struct member *m = take_member(charger, candidate, tactic, family, mark, out_is_new);
    if (!m)
        return NULL;
    if (mark > m->mark) {
        m->mark = mark;
        if (*out_is_new || charge->chance > m->chance || charge->chance < m->chance)
            speak_for(charger, m, charge);
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

/* It tells of a time long before it came. */
static bool is_old(const struct detection *detection, int64_t t_us)
{
    return received(detection) - t_us > HOUR_US;
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

static void lower(int64_t *at_us, int64_t us)
{
    if (us != TIMESTAMP_NONE && (*at_us == TIMESTAMP_NONE || us < *at_us))
        *at_us = us;
}

static void raise(int64_t *at_us, int64_t us)
{
    if (*at_us == TIMESTAMP_NONE || us > *at_us)
        *at_us = us;
}

static void count_in_member(struct member *m, const struct detection *detection, int64_t t_us)
{
    if (!m->count++)
        m->first_us = m->last_us = t_us;
    lower(&m->first_us, t_us);
    raise(&m->last_us, t_us);
    if (text_equal(m->rule,
                   detection->rule->key)) /* lines of the rule under whose title they stand */
        keep_positions(m, detection);
}

/* Two entities of one detection are two candidates: the last place is the entity's own, or the
 * next one that none of them has. */
static void name_candidate(struct candidate *candidate, const struct detection *detection,
                           const struct charging *g)
{
    static const char places[] = "0123456789ABCDEF"; /* as many as CHARGE_ENTITIES */
    uint64_t place = withheld_entity(candidate->kind, candidate->value).lo;
    bool is_taken = true;
    ident_make("cnd_", detection->journal_us, detection->id, candidate->id);
    for (uint32_t tries = 0; is_taken && tries < CHARGE_ENTITIES; tries++, place++) {
        candidate->id[IDENT_LEN - 1] = places[place & 15];
        is_taken = false;
        for (uint32_t k = 0; k < g->count; k++)
            is_taken |= !strcmp(g->all[k].candidate->id, candidate->id);
    }
}

/* The first detection of its episode. */
static void begin(struct candidate *candidate, const struct detection *detection,
                  const struct charging *g)
{
    if (candidate->detections)
        return;
    name_candidate(candidate, detection, g);
    candidate->alert_us = detection->journal_us;
    candidate->received_us = received(detection);
    candidate->is_backfill = true;
    candidate->first_us = candidate->last_us = g->t_us;
}

static void count_detection(struct candidate *candidate, struct member *m,
                            const struct detection *detection, const struct charging *g)
{
    begin(candidate, detection, g);
    candidate->detections++;
    candidate->is_backfill &= g->is_old; /* one of now makes it news */
    lower(&candidate->first_us, g->t_us - detection->lead_us);
    raise(&candidate->last_us, g->t_us);
    count_in_member(m, detection, g->t_us);
}

/* ---- rules that are too loud ---- */

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

/* What the entity is already charged with by other rules speaks for this one, unless they meet on
 * too many entities: then the two are loud together. Each pair is noted, so that what is decided
 * hangs on no order. */
static bool has_company(const struct charger *charger, const struct rule *rule,
                        const struct candidate *candidate, struct hash128 entity, int64_t t_us)
{
    struct restraints *restraints = charger->restraints;
    struct held_charge *held[CANDIDATE_MEMBERS];
    bool has = false;
    uint32_t count = withheld_of(&restraints->withheld, entity, held);
    bool is_alive =
        candidate &&
        (candidate->incident ||
         candidate_read(candidate, t_us, charger->tables->half_life_us).score >= faded_score);
    for (uint32_t m = 0; is_alive && m < candidate->member_count; m++)
        if (!text_equal(candidate->members[m].rule, rule->key))
            has |= !loudness_note_pair(&restraints->loudness, charger->changes, rule->key,
                                       candidate->members[m].rule, entity.lo, t_us);
    for (uint32_t h = 0; h < count; h++)
        if (!text_equal(held[h]->member.rule, rule->key) &&
            !withheld_has_faded(held[h], t_us, charger->tables->half_life_us))
            has |= !loudness_note_pair(&restraints->loudness, charger->changes, rule->key,
                                       held[h]->member.rule, entity.lo, t_us);
    return has;
}

static bool is_loud(const struct charger *charger, const struct detection *detection,
                    struct hash128 entity, int64_t t_us)
{
    bool is_first = false;
    bool is = loudness_note(
        &charger->restraints->loudness, charger->changes, detection->rule->key,
        (struct noise_ceiling){detection->rule->max_entities, detection->rule->max_entities_us},
        entity.lo, t_us, &is_first);
    if (is_first)
        tell_noise(charger, detection);
    return is;
}

/* Kept until another rule speaks of the entity. */
static void hold(const struct charger *charger, const struct detection *detection,
                 struct hash128 entity, double chance, int64_t t_us)
{
    struct held_charge *held =
        withheld_put(&charger->restraints->withheld, charger->changes, entity, detection->rule);
    double mark = score_mark(chance, t_us, charger->tables->half_life_us);
    COUNT(charger->changes->counters, noise_held);
    if (!held)
        return;
    if (mark > held->member.mark) {
        held->member.mark = mark;
        held->member.chance = chance;
        held->member.level = detection->rule->level;
    }
    lower(&held->alert_us, detection->journal_us);
    lower(&held->received_us, received(detection));
    lower(&held->first_us, t_us - detection->lead_us);
    count_in_member(&held->member, detection, t_us);
}

static uint32_t merge_positions(const uint64_t *a, uint32_t a_count, const uint64_t *b,
                                uint32_t b_count, bool is_last, uint64_t *out)
{
    uint64_t all[2 * MEMBER_POSITIONS];
    uint32_t count = 0, x = 0, y = 0;
    while (x < a_count || y < b_count) {
        uint64_t next = y == b_count || (x < a_count && a[x] <= b[y]) ? a[x++] : b[y++];
        if (!count || all[count - 1] != next)
            all[count++] = next;
    }
    uint32_t kept = count < MEMBER_POSITIONS ? count : MEMBER_POSITIONS;
    memcpy(out, all + (is_last ? count - kept : 0), kept * sizeof *out);
    return kept;
}

/* A charge that was held counts after all, at its own time. */
static void absorb(const struct charger *charger, struct candidate *candidate,
                   const struct held_charge *held)
{
    bool is_new;
    const struct member *from = &held->member;
    struct member *m =
        take_member(charger, candidate, from->tactic, from->family, from->mark, &is_new);
    if (!m)
        return;
    if (from->mark > m->mark) {
        m->mark = from->mark;
        m->chance = from->chance;
        m->level = from->level;
        m->rule = from->rule;
        m->title = from->title;
        tables_save_mark(charger->changes, candidate, m);
    }
    if (!m->count) {
        m->first_us = from->first_us;
        m->last_us = from->last_us;
    }
    m->count += from->count;
    lower(&m->first_us, from->first_us);
    raise(&m->last_us, from->last_us);
    m->first_count =
        merge_positions(m->first, m->first_count, from->first, from->first_count, false, m->first);
    m->last_count =
        merge_positions(m->last, m->last_count, from->last, from->last_count, true, m->last);
    candidate->detections += from->count;
    lower(&candidate->first_us, held->first_us);
    lower(&candidate->alert_us, held->alert_us);
    lower(&candidate->received_us, held->received_us);
    raise(&candidate->last_us, from->last_us);
    tables_touch_candidate(charger->tables, candidate);
    COUNT(charger->changes->counters, noise_released);
}

/* Whether what an entity is charged with may open an incident by its score, or must. */
struct opening {
    bool may, must;
};

static void allow(struct opening *opening, enum rule_open open)
{
    opening->may |= open != OPEN_NEVER;
    opening->must |= open == OPEN_ALWAYS;
}

/* What was held for the entity and has company now. */
static void release(const struct charger *charger, struct candidate *candidate,
                    const struct detection *detection, struct hash128 entity,
                    const struct charging *g, struct opening *opening)
{
    struct restraints *restraints = charger->restraints;
    struct held_charge *held[CANDIDATE_MEMBERS];
    uint32_t count = withheld_of(&restraints->withheld, entity, held);
    for (uint32_t h = 0; h < count; h++) {
        const struct member *m = &held[h]->member;
        if (!text_equal(m->rule, detection->rule->key) &&
            loudness_note_pair(&restraints->loudness, charger->changes, m->rule,
                               detection->rule->key, entity.lo, g->t_us))
            continue;
        bool is_late =
            candidate->episode_us != TIMESTAMP_NONE && m->last_us < candidate->episode_us;
        if (!is_late && !withheld_has_faded(held[h], g->t_us, charger->tables->half_life_us) &&
            !restraints_except(restraints, candidate->kind, candidate->value, m->family, g->t_us)) {
            begin(candidate, detection, g);
            absorb(charger, candidate, held[h]);
            allow(opening, held[h]->open);
        }
        withheld_remove(&restraints->withheld, charger->changes, held[h]);
    }
}

static bool is_suppressed(const struct charger *charger, const struct detection *detection,
                          const struct entity *e, int64_t t_us)
{
    if (detection->is_renewal ||
        !restraints_suppress(charger->restraints, charger->changes, detection, e, t_us))
        return false;
    COUNT(charger->changes->counters, suppressed);
    return true;
}

/* Nobody is charged, or not this one by this rule. */
static bool is_left_out(const struct charger *charger, const struct detection *detection,
                        const struct entity *e, int64_t t_us)
{
    if (!e->is_charged || inventory_is_nobody(e->kind, e->value) ||
        inventory_find(charger->tables->inventory, e->kind, e->value)->is_excluded)
        return true;
    if (restraints_except(charger->restraints, e->kind, e->value, detection->rule->family, t_us)) {
        COUNT(charger->changes->counters, excepted);
        return true;
    }
    return is_suppressed(charger, detection, e, t_us);
}

/* ---- one entity ---- */

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

static void renew_held(const struct charger *charger, const struct detection *detection,
                       const struct entity *e, double chance, int64_t t_us)
{
    struct withheld *withheld = &charger->restraints->withheld;
    double mark = score_mark(chance, t_us, charger->tables->half_life_us);
    struct held_charge *held =
        withheld_find(withheld, withheld_entity(e->kind, e->value), detection->rule->key);
    if (!held || mark <= held->member.mark)
        return;
    held->member.mark = mark;
    held->member.chance = chance;
    raise(&held->member.last_us, t_us);
    withheld_touch(withheld, held);
}

/* A condition that stays true keeps what it charged from fading; it adds nothing. */
static void renew(const struct charger *charger, const struct detection *detection,
                  const struct entity *e, double chance, int64_t t_us)
{
    renew_held(charger, detection, e, chance, t_us);
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

/* `is_itself`: the rule stands for the entity, and one of those is no crowd. */
static void charge_one(const struct charger *charger, const struct detection *detection,
                       const struct entity *e, bool is_itself, double chance, struct charging *g)
{
    struct hash128 entity = withheld_entity(e->kind, e->value);
    struct candidate *candidate = tables_candidate(charger->tables, e->kind, e->value);
    if (candidate && is_charged_already(g, candidate))
        return;
    if (candidate && candidate->episode_us != TIMESTAMP_NONE && g->t_us < candidate->episode_us) {
        COUNT(charger->changes->counters, late);
        return;
    }
    if (!is_itself && is_loud(charger, detection, entity, g->t_us) &&
        !has_company(charger, detection->rule, candidate, entity, g->t_us)) {
        hold(charger, detection, entity, chance, g->t_us);
        return;
    }
    if (!candidate)
        candidate = charge_candidate(charger, e->kind, e->value, chance, g->t_us);
    if (!candidate)
        return;
    const struct charge charge = {detection->rule->tactic,
                                  detection->rule->family,
                                  detection->rule->key,
                                  detection->rule->title,
                                  detection->rule->level,
                                  chance,
                                  g->t_us};
    struct charged *at = &g->all[g->count];
    struct opening opening = {false, false};
    *at = (struct charged){.candidate = candidate};
    allow(&opening, detection->rule->open);
    fade(charger, candidate, g->t_us);
    release(charger, candidate, detection, entity, g, &opening);
    at->member = charge_member(charger, candidate, &charge, &at->is_new_member);
    if (!at->member)
        return;
    count_detection(candidate, at->member, detection, g);
    at->score = candidate_read(candidate, candidate->last_us, charger->tables->half_life_us).score;
    at->crosses =
        !candidate->incident && opening.may && (at->score >= charger->threshold || opening.must);
    g->count++;
}

void charge_detection(const struct charger *charger, const struct detection *detection,
                      struct charging *out)
{
    *out = (struct charging){.t_us = clamp_time(detection)};
    out->is_old = is_old(detection, out->t_us);
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
    uint32_t named = 0;
    for (uint32_t e = 0; e < detection->subject->entity_count; e++) {
        struct entity own = detection->subject->entities[e];
        const struct entity *entity = &own;
        own.value = clean(&charger->changes->scratch, own.value);
        named += entity->is_charged && !inventory_is_nobody(entity->kind, entity->value);
        if (out->count >= CHARGE_ENTITIES || is_left_out(charger, detection, entity, out->t_us))
            continue;
        if (detection->is_renewal)
            renew(charger, detection, entity, chance, out->t_us);
        else
            charge_one(charger, detection, entity, false, chance, out);
    }
    if (!named && !detection->is_renewal && detection->rule->open == OPEN_ALWAYS) {
        /* Nobody to charge, yet it must open: the rule itself stands for the entity. */
        const struct entity self = {detection->rule->key, ENTITY_SERVICE, true};
        if (!is_suppressed(charger, detection, &self, out->t_us))
            charge_one(charger, detection, &self, true, chance, out);
    }
    if (!out->count && !detection->is_renewal)
        COUNT(charger->changes->counters, uncharged);
}
