/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/relation.h"

/* "rule_a and (rule_b or not rule_c)" (SEP 198): a reader by precedence that writes postfix. */
struct reading {
    struct draft *d;
    const struct yaml_node *at;
    const struct text *references;
    struct correlation *out;
    struct text rest, token;
    unsigned depth;
};

static void advance(struct reading *r)
{
    struct text t = text_trim(r->rest);
    size_t len = 0;
    if (t.len && (t.at[0] == '(' || t.at[0] == ')'))
        len = 1;
    else
        while (len < t.len && !memchr(" \t\r\n()", t.at[len], 6))
            len++;
    r->token = text_head(t, len);
    r->rest = text_skip(t, len);
}

static enum status put(struct reading *r, enum step_kind kind, uint32_t input)
{
    if (r->out->step_count == CORRELATION_STEPS)
        return diagnostic_error(r->d->compiler.diagnostics, r->at, "limit",
                                "a condition has at most %d parts", CORRELATION_STEPS);
    r->out->steps[r->out->step_count++] = (struct step){kind, input};
    return STATUS_OK;
}

static enum status read_or(struct reading *r);

static enum status read_operand(struct reading *r)
{
    if (text_equal(r->token, TEXT("("))) {
        advance(r);
        enum status status = read_or(r);
        if (status)
            return status;
        if (!text_equal(r->token, TEXT(")")))
            return diagnostic_error(r->d->compiler.diagnostics, r->at, "bad-condition",
                                    "a parenthesis is not closed");
        advance(r);
        return STATUS_OK;
    }
    for (uint32_t i = 0; i < r->out->input_count; i++)
        if (r->token.len && draft_is_same(r->d, r->references[i], r->token)) {
            advance(r);
            return put(r, STEP_INPUT, i);
        }
    return diagnostic_error(r->d->compiler.diagnostics, r->at, "bad-condition",
                            "'%.*s' is none of this correlation's rules", TEXT_ARG(r->token));
}

static enum status read_not(struct reading *r)
{
    bool is_negated = false;
    while (text_equal_nocase(r->token, TEXT("not"))) {
        is_negated = !is_negated;
        advance(r);
    }
    enum status status = read_operand(r);
    return status == STATUS_OK && is_negated ? put(r, STEP_NOT, 0) : status;
}

static enum status read_and(struct reading *r)
{
    enum status status = read_not(r);
    while (!status && text_equal_nocase(r->token, TEXT("and"))) {
        advance(r);
        status = read_not(r);
        if (!status)
            status = put(r, STEP_AND, 0);
    }
    return status;
}

static enum status read_or(struct reading *r)
{
    if (++r->depth > 64)
        return diagnostic_error(r->d->compiler.diagnostics, r->at, "limit",
                                "the condition is nested deeper than 64");
    enum status status = read_and(r);
    while (!status && text_equal_nocase(r->token, TEXT("or"))) {
        advance(r);
        status = read_and(r);
        if (!status)
            status = put(r, STEP_OR, 0);
    }
    r->depth--;
    return status;
}

enum status relation_steps_read(struct draft *d, const struct yaml_node *condition,
                                const struct text *references, struct correlation *out)
{
    struct reading r = {
        .d = d, .at = condition, .references = references, .out = out, .rest = condition->value};
    advance(&r);
    enum status status = read_or(&r);
    if (!status && r.token.len)
        return diagnostic_error(d->compiler.diagnostics, condition, "bad-condition",
                                "'%.*s' where 'and', 'or' or the end was expected",
                                TEXT_ARG(r.token));
    return status;
}
