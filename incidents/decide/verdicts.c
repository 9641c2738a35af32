/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/decide/verdicts.h"
#include "base/json_write.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/score.h"
#include <stdlib.h>

enum { GENERATION_BYTES = 64 << 20, VERDICT_BYTES = 1 << 16 };

void verdicts_init(struct verdicts *verdicts, struct string_pool *strings)
{
    *verdicts = (struct verdicts){.strings = strings};
}

static struct rule_verdict *find(const struct verdicts *verdicts, struct text rule)
{
    for (struct hash_link *at = hash_table_first(&verdicts->rules, hash_table_hash(rule, 0)); at;
         at = hash_table_next(at)) {
        struct rule_verdict *v = CONTAINER_OF(at, struct rule_verdict, link);
        if (text_equal(v->rule, rule))
            return v;
    }
    return NULL;
}

static struct rule_verdict *find_or_make(struct verdicts *verdicts, struct text rule)
{
    struct rule_verdict *v = find(verdicts, rule);
    if (v)
        return v;
    struct text kept = string_pool_keep(verdicts->strings, rule);
    v = kept.at ? calloc(1, sizeof *v) : NULL;
    if (!v)
        return NULL;
    v->rule = kept;
    if (hash_table_put(&verdicts->rules, &v->link, hash_table_hash(rule, 0)) == STATUS_OK)
        return v;
    free(v);
    return NULL;
}

static void save(struct changes *changes, const struct rule_verdict *v)
{
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    buffer_clear(&changes->text);
    json_write_open(&changes->text, NULL, '{');
    json_write_int(&changes->text, "right", v->right);
    json_write_int(&changes->text, "wrong", v->wrong);
    json_write_int(&changes->text, "learned_right", v->learned_right);
    json_write_int(&changes->text, "learned_wrong", v->learned_wrong);
    json_write_close(&changes->text, '}');
    EFFECT(effect, TEXT("HSET"), TEXT("tocsin:verdicts"), v->rule, buffer_text(&changes->text));
}

void verdicts_count(struct verdicts *verdicts, struct changes *changes,
                    const struct incident *incident, int sign)
{
    bool is_right = incident->disposition == DISPOSITION_TRUE_POSITIVE;
    if (!is_right && incident->disposition != DISPOSITION_FALSE_POSITIVE)
        return;
    for (uint32_t p = 0; p < incident->part_count; p++) {
        struct rule_verdict *v = find_or_make(verdicts, incident->parts[p].member.rule);
        if (!v) {
            COUNT(changes->counters, no_memory);
            return;
        }
        int64_t *count = is_right ? &v->right : &v->wrong;
        *count = *count + sign < 0 ? 0 : *count + sign;
        save(changes, v);
    }
}

double verdicts_confidence(const struct verdicts *verdicts, const struct rule *rule)
{
    const struct rule_verdict *v = verdicts->rules.count ? find(verdicts, rule->key) : NULL;
    return v ? score_confidence(rule->confidence, (double)v->learned_right,
                                (double)v->learned_wrong)
             : rule->confidence;
}

static int by_rule(const void *a, const void *b)
{
    const struct rule_verdict *const *x = a, *const *y = b;
    return text_compare((*x)->rule, (*y)->rule);
}

void verdicts_write(const struct verdicts *verdicts, struct buffer *out)
{
    const struct rule_verdict **all = calloc(verdicts->rules.count + 1, sizeof(*all));
    size_t count = 0, slot = 0;
    if (!all) {
        out->has_failed = true;
        return;
    }
    for (struct hash_link *at = hash_table_walk(&verdicts->rules, &slot, NULL); at;
         at = hash_table_walk(&verdicts->rules, &slot, at))
        all[count++] = CONTAINER_OF(at, struct rule_verdict, link);
    qsort(all, count, sizeof(*all), by_rule);
    json_write_open(out, NULL, '{');
    json_write_open(out, "rules", '{');
    for (size_t v = 0; v < count; v++) {
        json_write_named_open(out, all[v]->rule, '{');
        json_write_int(out, "right", all[v]->right);
        json_write_int(out, "wrong", all[v]->wrong);
        json_write_close(out, '}');
    }
    json_write_close(out, '}');
    json_write_close(out, '}');
    free(all);
}

enum status verdicts_learn(struct verdicts *verdicts, struct changes *changes,
                           struct text generation)
{
    struct arena arena;
    struct doc_tree t = {0};
    arena_init(&arena, GENERATION_BYTES);
    enum status status = doc_tree_parse(generation, &arena, &t, NULL);
    const struct doc_tree *rules = doc_tree_get(&t, "rules");
    if (!status && rules->kind != TREE_MAP)
        status = STATUS_INVALID;
    for (uint32_t r = 0; !status && r < rules->count; r++) {
        struct rule_verdict *v = find_or_make(verdicts, rules->items[r].name);
        if (!v) {
            status = STATUS_NOMEM;
            break;
        }
        int64_t right = doc_tree_whole(&rules->items[r], "right", 0);
        int64_t wrong = doc_tree_whole(&rules->items[r], "wrong", 0);
        v->learned_right = right > 0 ? right : 0;
        v->learned_wrong = wrong > 0 ? wrong : 0;
        save(changes, v);
    }
    arena_fini(&arena);
    return status;
}

static enum status load(void *context, struct text field, struct text value)
{
    struct verdicts *verdicts = context;
    struct arena arena;
    struct doc_tree t;
    struct rule_verdict *v = find_or_make(verdicts, field);
    if (!v)
        return STATUS_NOMEM;
    arena_init(&arena, VERDICT_BYTES);
    if (doc_tree_parse(value, &arena, &t, NULL) == STATUS_OK) {
        v->right = doc_tree_whole(&t, "right", 0);
        v->wrong = doc_tree_whole(&t, "wrong", 0);
        v->learned_right = doc_tree_whole(&t, "learned_right", 0);
        v->learned_wrong = doc_tree_whole(&t, "learned_wrong", 0);
    }
    arena_fini(&arena);
    return STATUS_OK;
}

enum status verdicts_load(struct verdicts *verdicts, struct incident_store *store,
                          struct error *err)
{
    return incident_store_read_hash(store, TEXT("tocsin:verdicts"), load, verdicts, err);
}

void verdicts_clear(struct verdicts *verdicts)
{
    size_t slot = 0;
    struct hash_link *next = hash_table_walk(&verdicts->rules, &slot, NULL);
    while (next) {
        struct rule_verdict *v = CONTAINER_OF(next, struct rule_verdict, link);
        next = hash_table_walk(&verdicts->rules, &slot, next);
        free(v);
    }
    hash_table_fini(&verdicts->rules);
}
