/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/rule_verdict.h"
#include "base/json_write.h"
#include <stdlib.h>

enum { GENERATION_BYTES = 64 << 20 };

static struct rule_verdict *find(const struct incidents *i, struct text rule)
{
    for (struct hash_link *at = hash_table_first(&i->verdicts, hash_table_hash(rule, 0)); at;
         at = hash_table_next(at)) {
        struct rule_verdict *v = CONTAINER_OF(at, struct rule_verdict, link);
        if (text_equal(v->rule, rule))
            return v;
    }
    return NULL;
}

static struct rule_verdict *find_or_make(struct incidents *i, struct text rule)
{
    struct rule_verdict *v = find(i, rule);
    if (v)
        return v;
    struct text kept = string_pool_keep(&i->words, rule);
    v = kept.at ? calloc(1, sizeof *v) : NULL;
    if (!v)
        return NULL;
    v->rule = kept;
    if (hash_table_put(&i->verdicts, &v->link, hash_table_hash(rule, 0)) == STATUS_OK)
        return v;
    free(v);
    return NULL;
}

static void persist(struct incidents *i, const struct rule_verdict *v)
{
    struct effect *e = incidents_effect(i);
    if (!e)
        return;
    buffer_clear(&i->text);
    json_write_open(&i->text, NULL, '{');
    json_write_int(&i->text, "right", v->right);
    json_write_int(&i->text, "wrong", v->wrong);
    json_write_int(&i->text, "learned_right", v->learned_right);
    json_write_int(&i->text, "learned_wrong", v->learned_wrong);
    json_write_close(&i->text, '}');
    EFFECT(e, TEXT("HSET"), TEXT("tocsin:verdicts"), v->rule, buffer_text(&i->text));
}

void rule_verdict_count(struct incidents *i, const struct incident *n, int sign)
{
    bool is_right = n->disposition == DISPOSITION_TRUE_POSITIVE;
    if (!is_right && n->disposition != DISPOSITION_FALSE_POSITIVE)
        return;
    for (uint32_t p = 0; p < n->part_count; p++) {
        struct rule_verdict *v = find_or_make(i, n->parts[p].member.rule);
        if (!v) {
            COUNT(i, no_memory);
            return;
        }
        int64_t *count = is_right ? &v->right : &v->wrong;
        *count = *count + sign < 0 ? 0 : *count + sign;
        persist(i, v);
    }
}

double rule_verdict_confidence(const struct incidents *i, const struct rule *rule)
{
    const struct rule_verdict *v = i->verdicts.count ? find(i, rule->key) : NULL;
    return v ? score_confidence(rule->confidence, (double)v->learned_right,
                                (double)v->learned_wrong)
             : rule->confidence;
}

static int by_rule(const void *a, const void *b)
{
    const struct rule_verdict *const *x = a, *const *y = b;
    return text_compare((*x)->rule, (*y)->rule);
}

void incidents_verdicts(const struct incidents *i, struct buffer *out)
{
    const struct rule_verdict **all = calloc(i->verdicts.count + 1, sizeof(*all));
    size_t count = 0, slot = 0;
    if (!all) {
        out->has_failed = true;
        return;
    }
    for (struct hash_link *at = hash_table_walk(&i->verdicts, &slot, NULL); at;
         at = hash_table_walk(&i->verdicts, &slot, at))
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

enum status incidents_learn(struct incidents *i, struct text generation)
{
    struct arena arena;
    struct doc_tree t = {0};
    arena_init(&arena, GENERATION_BYTES);
    enum status s = doc_tree_parse(generation, &arena, &t, NULL);
    const struct doc_tree *rules = doc_tree_get(&t, "rules");
    if (s == STATUS_OK && rules->kind != TREE_MAP)
        s = STATUS_INVALID;
    for (uint32_t r = 0; s == STATUS_OK && r < rules->count; r++) {
        struct rule_verdict *v = find_or_make(i, rules->items[r].name);
        if (!v) {
            s = STATUS_NOMEM;
            break;
        }
        int64_t right = doc_tree_whole(&rules->items[r], "right", 0);
        int64_t wrong = doc_tree_whole(&rules->items[r], "wrong", 0);
        v->learned_right = right > 0 ? right : 0;
        v->learned_wrong = wrong > 0 ? wrong : 0;
        persist(i, v);
    }
    arena_fini(&arena);
    return s;
}

bool rule_verdict_load(struct incidents *i, struct text rule, const struct doc_tree *t)
{
    struct rule_verdict *v = find_or_make(i, rule);
    if (!v)
        return false;
    v->right = doc_tree_whole(t, "right", 0);
    v->wrong = doc_tree_whole(t, "wrong", 0);
    v->learned_right = doc_tree_whole(t, "learned_right", 0);
    v->learned_wrong = doc_tree_whole(t, "learned_wrong", 0);
    return true;
}

void rule_verdict_clear(struct incidents *i)
{
    size_t slot = 0;
    for (struct hash_link *at = hash_table_walk(&i->verdicts, &slot, NULL), *next; at; at = next) {
        next = hash_table_walk(&i->verdicts, &slot, at);
        free(CONTAINER_OF(at, struct rule_verdict, link));
    }
    hash_table_fini(&i->verdicts);
}
