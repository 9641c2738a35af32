/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/entail.h"
#include "base/substring.h"

static enum entail say(bool holds)
{
    return holds ? ENTAIL_TRUE : ENTAIL_FALSE;
}

static bool holds_part(struct text whole, struct text part)
{
    return !part.len || (whole.len >= part.len && substring_find(whole, part) < whole.len);
}

/* ---- numbers ---- */

struct range {
    const struct number *low, *high; /* NULL: open */
    bool has_low, has_high;          /* the end itself is inside */
};

static struct range range_of(const struct predicate *p)
{
    struct range r = {NULL, NULL, true, true};
    bool is_low = p->compare == COMPARE_GT || p->compare == COMPARE_GTE;
    bool is_high = p->compare == COMPARE_LT || p->compare == COMPARE_LTE;
    r.low = is_high ? NULL : &p->number;
    r.high = is_low ? NULL : &p->number;
    r.has_low = p->compare != COMPARE_GT;
    r.has_high = p->compare != COMPARE_LT;
    return r;
}

static bool is_above(const struct number *low, bool has_low, const struct number *high,
                     bool has_high)
{
    int order = low && high ? number_compare(low, high) : -1;
    return order > 0 || (order == 0 && !(has_low && has_high));
}

static enum entail of_ranges(const struct predicate *first, const struct predicate *second)
{
    struct range a = range_of(first);
    struct range b = range_of(second);
    if (is_above(a.low, a.has_low, b.high, b.has_high) ||
        is_above(b.low, b.has_low, a.high, a.has_high))
        return ENTAIL_FALSE;
    int low = !b.low ? 1 : !a.low ? -1 : number_compare(a.low, b.low);
    int high = !b.high ? -1 : !a.high ? 1 : number_compare(a.high, b.high);
    bool is_low_inside = low > 0 || (low == 0 && (b.has_low || !a.has_low));
    bool is_high_inside = high < 0 || (high == 0 && (b.has_high || !a.has_high));
    return is_low_inside && is_high_inside ? ENTAIL_TRUE : ENTAIL_NOTHING;
}

/* ---- texts ---- */

/* `t` is the whole value, folded where the first predicate is. */
static enum entail of_value(struct text t, bool is_cased, const struct predicate *second)
{
    struct number n;
    struct address address;
    switch (second->op) {
    case PREDICATE_EQUAL:
    case PREDICATE_IN:
    case PREDICATE_CONTAINS:
    case PREDICATE_STARTS:
    case PREDICATE_ENDS:
    case PREDICATE_GLOB:
        return is_cased == second->is_cased ? say(predicate_matches_text(second, t))
                                            : ENTAIL_NOTHING;
    case PREDICATE_NUMBER:
        return say(number_parse(t, &n) && predicate_matches_number(second, &n));
    case PREDICATE_CIDR:
        return say(cidr_parse_address(t, &address) && cidr_holds(&second->cidr, &address));
    case PREDICATE_EXISTS:
    case PREDICATE_NULL:
    case PREDICATE_REGEX:
    case PREDICATE_TIME:
    case PREDICATE_FIELD:
    case PREDICATE_UNTIL:
        break;
    }
    return ENTAIL_NOTHING;
}

static enum entail of_values(const struct predicate *first, const struct predicate *second)
{
    enum entail all = of_value(first->items[0], first->is_cased, second);
    for (uint32_t i = 1; i < first->item_count && all != ENTAIL_NOTHING; i++)
        if (of_value(first->items[i], first->is_cased, second) != all)
            all = ENTAIL_NOTHING;
    return all;
}

/* The value begins (ends, goes) so. */
static enum entail of_part(const struct predicate *first, const struct predicate *second)
{
    struct text a = first->text;
    struct text b = second->text;
    if (first->is_cased != second->is_cased)
        return ENTAIL_NOTHING;
    if (second->op == PREDICATE_CONTAINS)
        return holds_part(a, b) ? ENTAIL_TRUE : ENTAIL_NOTHING;
    if (second->op != first->op || first->op == PREDICATE_CONTAINS)
        return ENTAIL_NOTHING;
    bool is_start = first->op == PREDICATE_STARTS;
    if (is_start ? text_starts(a, b) : text_ends(a, b))
        return ENTAIL_TRUE;
    return (is_start ? text_starts(b, a) : text_ends(b, a)) ? ENTAIL_NOTHING : ENTAIL_FALSE;
}

static enum entail of_networks(const struct predicate *first, const struct predicate *second)
{
    bool is_inside = cidr_holds(&second->cidr, &first->cidr.base);
    if (is_inside && first->cidr.bits >= second->cidr.bits)
        return ENTAIL_TRUE;
    return is_inside || cidr_holds(&first->cidr, &second->cidr.base) ? ENTAIL_NOTHING
                                                                     : ENTAIL_FALSE;
}

enum entail entail_find(const struct predicate *first, const struct predicate *second)
{
    if (first->op == PREDICATE_EXISTS)
        return ENTAIL_NOTHING;
    if (second->op == PREDICATE_EXISTS)
        return first->op == PREDICATE_NULL ? ENTAIL_NOTHING : ENTAIL_TRUE;
    if (first->op == PREDICATE_NULL || second->op == PREDICATE_NULL)
        return ENTAIL_FALSE;
    switch (first->op) {
    case PREDICATE_EQUAL:
        return of_value(first->text, first->is_cased, second);
    case PREDICATE_IN:
        return of_values(first, second);
    case PREDICATE_CONTAINS:
    case PREDICATE_STARTS:
    case PREDICATE_ENDS:
        return of_part(first, second);
    case PREDICATE_NUMBER:
        return second->op == PREDICATE_NUMBER ? of_ranges(first, second) : ENTAIL_NOTHING;
    case PREDICATE_TIME:
        return second->op == PREDICATE_TIME && first->unit == second->unit
                   ? of_ranges(first, second)
                   : ENTAIL_NOTHING;
    case PREDICATE_CIDR:
        return second->op == PREDICATE_CIDR ? of_networks(first, second) : ENTAIL_NOTHING;
    case PREDICATE_EXISTS:
    case PREDICATE_NULL:
    case PREDICATE_GLOB:
    case PREDICATE_REGEX:
    case PREDICATE_FIELD:
    case PREDICATE_UNTIL:
        break;
    }
    return ENTAIL_NOTHING;
}

bool entail_is_impossible(const struct predicate *p)
{
    static const struct {
        double least, most;
    } units[] = {
        [UNIT_MINUTE] = {0, 59}, [UNIT_HOUR] = {0, 23},  [UNIT_DAY] = {1, 31},
        [UNIT_WEEK] = {1, 53},   [UNIT_MONTH] = {1, 12}, [UNIT_YEAR] = {0, 9999},
    };
    if (p->op != PREDICATE_TIME)
        return false;
    double n = p->number.real;
    double least = units[p->unit].least;
    double most = units[p->unit].most;
    switch (p->compare) {
    case COMPARE_EQ:
        return n < least || n > most || !p->number.is_whole;
    case COMPARE_LT:
        return n <= least;
    case COMPARE_LTE:
        return n < least;
    case COMPARE_GT:
        return n >= most;
    case COMPARE_GTE:
        return n > most;
    }
    return false;
}
