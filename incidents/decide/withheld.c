/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/withheld.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/incident_document.h"
#include "incidents/model/score.h"
#include <stdlib.h>

enum { ITEM_BYTES = 1 << 20 };
static const double faded_weight = 0.005; /* half a point of score */

struct held_rule {
    struct hash_link link;
    struct text rule; /* kept */
    struct held_charge *first, *last;
    uint32_t count;
};

void withheld_init(struct withheld *withheld, struct string_pool *strings)
{
    *withheld = (struct withheld){.strings = strings};
}

struct hash128 withheld_entity(enum entity_kind kind, struct text value)
{
    struct hasher h;
    hash_start(&h);
    hash_part_u64(&h, (uint64_t)kind);
    hash_part_text(&h, value);
    return hash_end(&h);
}

/* ---- finding ---- */

static int by_rule(const void *a, const void *b)
{
    const struct held_charge *const *x = a, *const *y = b;
    return text_compare((*x)->member.rule, (*y)->member.rule);
}

uint32_t withheld_of(const struct withheld *withheld, struct hash128 entity,
                     struct held_charge *out[CANDIDATE_MEMBERS])
{
    uint32_t count = 0;
    for (struct hash_link *at = hash_table_first(&withheld->charges, hash_home(entity));
         at && count < CANDIDATE_MEMBERS; at = hash_table_next(at)) {
        struct held_charge *charge = CONTAINER_OF(at, struct held_charge, link);
        if (hash_equal(charge->entity, entity))
            out[count++] = charge;
    }
    if (count > 1)
        qsort(out, count, sizeof(*out), by_rule);
    return count;
}

struct held_charge *withheld_find(const struct withheld *withheld, struct hash128 entity,
                                  struct text rule)
{
    for (struct hash_link *at = hash_table_first(&withheld->charges, hash_home(entity)); at;
         at = hash_table_next(at)) {
        struct held_charge *charge = CONTAINER_OF(at, struct held_charge, link);
        if (hash_equal(charge->entity, entity) && text_equal(charge->member.rule, rule))
            return charge;
    }
    return NULL;
}

static struct held_rule *find_rule(const struct withheld *withheld, struct text rule)
{
    for (struct hash_link *at = hash_table_first(&withheld->rules, hash_table_hash(rule, 0)); at;
         at = hash_table_next(at)) {
        struct held_rule *owner = CONTAINER_OF(at, struct held_rule, link);
        if (text_equal(owner->rule, rule))
            return owner;
    }
    return NULL;
}

static struct held_rule *put_rule(struct withheld *withheld, struct text rule)
{
    struct held_rule *owner = find_rule(withheld, rule);
    if (owner)
        return owner;
    owner = rule.at ? calloc(1, sizeof *owner) : NULL;
    if (!owner)
        return NULL;
    owner->rule = rule;
    if (hash_table_put(&withheld->rules, &owner->link, hash_table_hash(rule, 0)) == STATUS_OK)
        return owner;
    free(owner);
    return NULL;
}

/* ---- the rule's own list ---- */

static void unlink_charge(struct held_charge *charge)
{
    struct held_rule *owner = charge->owner;
    *(charge->before ? &charge->before->after : &owner->first) = charge->after;
    *(charge->after ? &charge->after->before : &owner->last) = charge->before;
    charge->before = charge->after = NULL;
    owner->count--;
}

static void append_charge(struct held_rule *owner, struct held_charge *charge)
{
    charge->owner = owner;
    charge->before = owner->last;
    charge->after = NULL;
    *(owner->last ? &owner->last->after : &owner->first) = charge;
    owner->last = charge;
    owner->count++;
}

/* The rule with the most of them; of equals the first by name. */
static struct held_rule *fullest(const struct withheld *withheld)
{
    size_t slot = 0;
    struct held_rule *most = NULL;
    for (struct hash_link *at = hash_table_walk(&withheld->rules, &slot, NULL); at;
         at = hash_table_walk(&withheld->rules, &slot, at)) {
        struct held_rule *owner = CONTAINER_OF(at, struct held_rule, link);
        if (!most || owner->count > most->count ||
            (owner->count == most->count && text_compare(owner->rule, most->rule) < 0))
            most = owner;
    }
    return most;
}

/* ---- one charge ---- */

static struct text field_of(struct changes *changes, const struct held_charge *charge)
{
    char hex[33];
    hash_to_hex(charge->entity, hex);
    return CHANGES_JOIN(changes, {hex, 32}, TEXT(":"), charge->member.rule);
}

void withheld_touch(struct withheld *withheld, struct held_charge *charge)
{
    if (charge->is_dirty)
        return;
    charge->is_dirty = true;
    charge->next_dirty = withheld->dirty;
    withheld->dirty = charge;
}

static void drop(struct withheld *withheld, struct held_charge *charge)
{
    hash_table_remove(&withheld->charges, &charge->link);
    unlink_charge(charge);
    charge->is_gone = true;
    if (!charge->is_dirty)
        free(charge);
}

void withheld_remove(struct withheld *withheld, struct changes *changes, struct held_charge *charge)
{
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("HDEL"), TEXT("tocsin:held"), field_of(changes, charge));
    drop(withheld, charge);
}

static struct held_charge *add(struct withheld *withheld, struct hash128 entity, struct text rule)
{
    struct held_rule *owner = put_rule(withheld, string_pool_keep(withheld->strings, rule));
    struct held_charge *charge = owner ? calloc(1, sizeof *charge) : NULL;
    if (!charge)
        return NULL;
    charge->entity = entity;
    if (hash_table_put(&withheld->charges, &charge->link, hash_home(entity)) != STATUS_OK) {
        free(charge);
        return NULL;
    }
    append_charge(owner, charge);
    charge->member.rule = owner->rule;
    charge->first_us = charge->received_us = charge->alert_us = TIMESTAMP_NONE;
    return charge;
}

struct held_charge *withheld_put(struct withheld *withheld, struct changes *changes,
                                 struct hash128 entity, const struct rule *rule)
{
    struct held_charge *all[CANDIDATE_MEMBERS];
    struct held_charge *charge = withheld_find(withheld, entity, rule->key);
    if (!charge) {
        if (withheld_of(withheld, entity, all) == CANDIDATE_MEMBERS) {
            COUNT(changes->counters, members_left_out);
            return NULL;
        }
        const struct held_rule *most =
            withheld->charges.count >= HELD_CHARGES ? fullest(withheld) : NULL;
        if (most && most->first) {
            COUNT(changes->counters, held_given_up);
            withheld_remove(withheld, changes, most->first);
        }
        charge = add(withheld, entity, rule->key);
        if (!charge) {
            COUNT(changes->counters, no_memory);
            return NULL;
        }
        charge->member.tactic = string_pool_keep(withheld->strings, rule->tactic);
        charge->member.family = string_pool_keep(withheld->strings, rule->family);
        charge->member.title = string_pool_keep(withheld->strings, rule->title);
        charge->member.mark = -1e300;
        charge->open = rule->open;
    } else {
        struct held_rule *owner = charge->owner;
        unlink_charge(charge);
        append_charge(owner, charge);
    }
    charge->order = ++withheld->order;
    withheld_touch(withheld, charge);
    return charge;
}

/* ---- forgetting ---- */

bool withheld_has_faded(const struct held_charge *charge, int64_t t_us, int64_t half_life_us)
{
    return score_weight(charge->member.mark, t_us, half_life_us) < faded_weight;
}

void withheld_tick(struct withheld *withheld, struct changes *changes, int64_t half_life_us)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&withheld->charges, &slot, NULL);
    while (next) {
        struct held_charge *charge = CONTAINER_OF(next, struct held_charge, link);
        next = hash_table_walk(&withheld->charges, &slot, next);
        if (withheld_has_faded(charge, changes->journal_us, half_life_us))
            withheld_remove(withheld, changes, charge);
    }
}

/* ---- to and from the store ---- */

bool withheld_is_dirty(const struct withheld *withheld)
{
    return withheld->dirty;
}

static void save(struct changes *changes, const struct held_charge *charge)
{
    struct effect *effect = changes_effect(changes);
    struct buffer *text = &changes->text;
    if (!effect)
        return;
    buffer_clear(text);
    json_write_open(text, NULL, '{');
    json_write_open(text, "charge", '[');
    incident_document_write_member(&charge->member, text);
    json_write_close(text, ']');
    json_write_int(text, "open", charge->open);
    json_write_int(text, "occurred", charge->first_us);
    json_write_int(text, "first_event", charge->received_us);
    json_write_int(text, "alert", charge->alert_us);
    json_write_uint(text, "order", charge->order);
    json_write_close(text, '}');
    if (text->has_failed)
        COUNT(changes->counters, no_memory);
    else
        EFFECT(effect, TEXT("HSET"), TEXT("tocsin:held"), field_of(changes, charge),
               buffer_text(text));
}

void withheld_save(struct withheld *withheld, struct changes *changes)
{
    while (withheld->dirty) {
        struct held_charge *charge = withheld->dirty;
        withheld->dirty = charge->next_dirty;
        charge->is_dirty = false;
        if (charge->is_gone)
            free(charge);
        else if (!changes->is_dry)
            save(changes, charge);
    }
}

struct loading {
    struct withheld *withheld;
    struct held_charge **all;
    size_t count, room;
};

static bool take(struct loading *loading, struct held_charge *charge)
{
    if (loading->count == loading->room) {
        size_t room = loading->room ? loading->room * 2 : 1024;
        struct held_charge **all = realloc(loading->all, room * sizeof(*all));
        if (!all)
            return false;
        loading->all = all;
        loading->room = room;
    }
    loading->all[loading->count++] = charge;
    return true;
}

static enum status load(void *context, struct text field, struct text value)
{
    struct loading *loading = context;
    struct hash128 entity;
    struct arena arena;
    struct doc_tree tree = {0};
    enum status status = STATUS_OK;
    size_t colon = text_find_byte(field, ':');
    if (colon == field.len || !hash_from_hex(text_head(field, colon), &entity))
        return STATUS_OK;
    arena_init(&arena, ITEM_BYTES);
    bool is_read = doc_tree_parse(value, &arena, &tree, NULL) == STATUS_OK;
    const struct doc_tree *list = doc_tree_get(&tree, "charge");
    if (is_read && list->count == 1) {
        struct held_charge *charge = add(loading->withheld, entity, text_skip(field, colon + 1));
        if (charge) {
            incident_document_read_member(&list->items[0], loading->withheld->strings,
                                          &charge->member);
            charge->member.rule = charge->owner->rule;
            charge->open = (enum rule_open)doc_tree_whole(&tree, "open", OPEN_SCORE);
            charge->first_us = doc_tree_whole(&tree, "occurred", TIMESTAMP_NONE);
            charge->received_us = doc_tree_whole(&tree, "first_event", TIMESTAMP_NONE);
            charge->alert_us = doc_tree_whole(&tree, "alert", TIMESTAMP_NONE);
            charge->order = (uint64_t)doc_tree_whole(&tree, "order", 0);
        }
        status = charge && take(loading, charge) ? STATUS_OK : STATUS_NOMEM;
    }
    arena_fini(&arena);
    return status;
}

static int by_order(const void *a, const void *b)
{
    const struct held_charge *const *x = a, *const *y = b;
    return ((*x)->order > (*y)->order) - ((*x)->order < (*y)->order);
}

enum status withheld_load(struct withheld *withheld, struct incident_store *store,
                          struct error *err)
{
    struct loading loading = {.withheld = withheld};
    enum status status = incident_store_read_hash(store, TEXT("tocsin:held"), load, &loading, err);
    if (loading.count)
        qsort(loading.all, loading.count, sizeof(*loading.all), by_order);
    for (size_t c = 0; c < loading.count; c++) {
        struct held_rule *owner = loading.all[c]->owner;
        unlink_charge(loading.all[c]);
        append_charge(owner, loading.all[c]);
        withheld->order = loading.all[c]->order;
    }
    free(loading.all);
    return status;
}

void withheld_clear(struct withheld *withheld)
{
    size_t slot = 0;
    while (withheld->dirty) {
        struct held_charge *charge = withheld->dirty;
        withheld->dirty = charge->next_dirty;
        charge->is_dirty = false;
        if (charge->is_gone)
            free(charge);
    }
    struct hash_link *next = hash_table_walk(&withheld->charges, &slot, NULL);
    while (next) {
        struct held_charge *charge = CONTAINER_OF(next, struct held_charge, link);
        next = hash_table_walk(&withheld->charges, &slot, next);
        free(charge);
    }
    slot = 0;
    next = hash_table_walk(&withheld->rules, &slot, NULL);
    while (next) {
        struct held_rule *owner = CONTAINER_OF(next, struct held_rule, link);
        next = hash_table_walk(&withheld->rules, &slot, next);
        free(owner);
    }
    hash_table_fini(&withheld->charges);
    hash_table_fini(&withheld->rules);
    withheld->order = 0;
}
