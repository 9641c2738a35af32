/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/evaluation.h"
#include <stdlib.h>

enum status evaluation_init(struct evaluation *e, const struct predicates *predicates,
                            struct fieldview *view, struct error *err)
{
    struct evaluation made = {.predicates = predicates, .answers.view = view};
    enum status status = regex_scratch_new(&made.answers.scratch, err);
    if (status)
        return status;
    made.memory = calloc((size_t)predicates_count(predicates) + 1, sizeof *made.memory);
    if (!made.memory) {
        regex_scratch_free(made.answers.scratch);
        return error_set(err, STATUS_NOMEM, 0, "no memory for predicates");
    }
    *e = made;
    return STATUS_OK;
}

void evaluation_fini(struct evaluation *e)
{
    regex_scratch_free(e->answers.scratch);
    free(e->memory);
    *e = (struct evaluation){.memory = NULL};
}

void evaluation_begin(struct evaluation *e)
{
    if (++e->generation == UINT32_C(1) << 31) {
        memset(e->memory, 0, predicates_count(e->predicates) * sizeof *e->memory);
        e->generation = 1;
    }
}

static bool ask(struct evaluation *e, uint32_t predicate)
{
    uint32_t known = e->memory[predicate];
    if (known / 2 == e->generation)
        return known & 1;
    if (e->decided[predicate / 64] >> (predicate % 64) & 1)
        return false;
    bool answer = predicate_answer(predicates_at(e->predicates, predicate), &e->answers);
    e->memory[predicate] = e->generation * 2 + answer;
    return answer;
}

static uint32_t count_true(struct evaluation *e, const struct node *node)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->leaf_count && count < node->need; i++)
        count += ask(e, node->leaves[i]);
    for (uint32_t i = 0; i < node->item_count && count < node->need; i++)
        count += evaluation_holds(e, node->items[i]);
    return count;
}

/* The parts of AND and OR stop at the first that decides. */
static bool decide(struct evaluation *e, const struct node *node, bool decisive)
{
    for (uint32_t i = 0; i < node->leaf_count; i++)
        if (ask(e, node->leaves[i]) == decisive)
            return decisive;
    for (uint32_t i = 0; i < node->item_count; i++)
        if (evaluation_holds(e, node->items[i]) == decisive)
            return decisive;
    return !decisive;
}

bool evaluation_holds(struct evaluation *e, const struct node *node)
{
    switch (node->kind) {
    case NODE_AND:
        return decide(e, node, false);
    case NODE_OR:
        return decide(e, node, true);
    case NODE_NOT:
        return node->leaf_count ? !ask(e, node->leaves[0]) : !evaluation_holds(e, node->items[0]);
    case NODE_AT_LEAST:
        return count_true(e, node) >= node->need;
    }
    return false;
}

bool evaluation_holds_plainly(struct evaluation *e, const struct node *node)
{
    uint32_t count = 0;
    uint32_t parts = node->leaf_count + node->item_count;
    for (uint32_t i = 0; i < node->leaf_count; i++)
        count += predicate_answer(predicates_at(e->predicates, node->leaves[i]), &e->answers);
    for (uint32_t i = 0; i < node->item_count; i++)
        count += evaluation_holds_plainly(e, node->items[i]);
    switch (node->kind) {
    case NODE_AND:
        return count == parts;
    case NODE_OR:
        return count > 0;
    case NODE_NOT:
        return count == 0;
    case NODE_AT_LEAST:
        return count >= node->need;
    }
    return false;
}
