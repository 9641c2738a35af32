/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/predicate.h"
#include "base/hash.h"
#include "base/substring.h"
#include "base/timestamp.h"

/* ---- one value ---- */

static struct text comparable(const struct predicate *p, struct answers *a,
                              struct fieldview_value *v)
{
    return p->is_cased ? fieldview_plain(a->view, v) : fieldview_folded(a->view, v);
}

static bool is_text_match(enum predicate_op op, struct text t, struct text operand)
{
    if (op == PREDICATE_CONTAINS)
        return t.len >= operand.len && (!operand.len || substring_find(t, operand) < t.len);
    if (op == PREDICATE_STARTS)
        return text_starts(t, operand);
    if (op == PREDICATE_ENDS)
        return text_ends(t, operand);
    return text_equal(t, operand);
}

static bool is_in(const struct predicate *p, struct text t)
{
    uint64_t at = hash_seeded(t.at, t.len, 0);
    for (;; at++) {
        uint32_t item = p->buckets[at & p->bucket_mask];
        if (!item)
            return false;
        if (text_equal(p->items[item - 1], t))
            return true;
    }
}

static bool is_compared(const struct predicate *p, const struct number *n)
{
    int order = number_compare(n, &p->number);
    switch (p->compare) {
    case COMPARE_EQ:
        return order == 0;
    case COMPARE_LT:
        return order < 0;
    case COMPARE_LTE:
        return order <= 0;
    case COMPARE_GT:
        return order > 0;
    case COMPARE_GTE:
        return order >= 0;
    }
    return false;
}

/* ISO 8601: the week that holds the year's first Thursday is week 1. */
static int week_of(int64_t us, const struct civil *c)
{
    const int64_t day_us = INT64_C(86400000000);
    struct civil first = {.year = c->year, .month = 1, .day = 1};
    int64_t days = (us - timestamp_from_civil(&first)) / day_us;
    int64_t since = us >= 0 ? us / day_us : (us - day_us + 1) / day_us;
    int weekday = (int)(((since % 7) + 7 + 3) % 7); /* 1970-01-01 was a Thursday; Monday is 0 */
    int64_t thursday = days + 3 - weekday;
    if (thursday >= 0) {
        bool is_leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
        return thursday >= (is_leap ? 366 : 365) ? 1 : (int)(thursday / 7 + 1);
    }
    int before = c->year - 1;
    bool was_leap = (before % 4 == 0 && before % 100 != 0) || before % 400 == 0;
    return (int)((thursday + (was_leap ? 366 : 365)) / 7 + 1);
}

/* Seconds since 1970, or thousandths, millionths, thousand millionths of them: told by size. */
static bool read_epoch(const struct number *n, int64_t *out_us)
{
    static const struct {
        double below;
        double us;
    } scales[] = {{1e11, 1e6}, {1e14, 1e3}, {1e17, 1}, {9e18, 1e-3}};
    for (size_t i = 0; n && i < sizeof scales / sizeof *scales; i++)
        if (n->real >= 1e8 && n->real < scales[i].below) { /* smaller is no time of ours */
            *out_us = (int64_t)(n->real * scales[i].us);
            return true;
        }
    return false;
}

static bool is_time_part(const struct predicate *p, struct answers *a, struct fieldview_value *v)
{
    int64_t us = 0;
    struct civil c;
    if (!timestamp_parse(text_trim(fieldview_plain(a->view, v)), 0, &us, NULL) &&
        !read_epoch(fieldview_number(a->view, v), &us))
        return false;
    timestamp_to_civil(us, &c);
    int64_t part = 0;
    switch (p->unit) {
    case UNIT_MINUTE:
        part = c.minute;
        break;
    case UNIT_HOUR:
        part = c.hour;
        break;
    case UNIT_DAY:
        part = c.day;
        break;
    case UNIT_WEEK:
        part = week_of(us, &c);
        break;
    case UNIT_MONTH:
        part = c.month;
        break;
    case UNIT_YEAR:
        part = c.year;
        break;
    }
    struct number n = {.is_whole = true, .whole = part, .real = (double)part};
    return is_compared(p, &n);
}

static bool is_other_field(const struct predicate *p, struct answers *a, struct text t)
{
    for (struct fieldview_value *o = fieldview_first(a->view, p->other); o;
         o = fieldview_next(a->view, o)) {
        struct text operand = comparable(p, a, o);
        if (o->type != VALUE_OBJECT && operand.at && is_text_match(p->match, t, operand))
            return true;
    }
    return false;
}

static bool is_regex_match(const struct predicate *p, struct answers *a, struct text t)
{
    enum regex_result result = regex_search(p->regex, a->scratch, t);
    a->regex_limits += result == REGEX_LIMIT;
    return result == REGEX_YES;
}

/* An object is nobody's equal, but its JSON can be searched, as rules over cloud logs do. */
static bool is_searched(const struct predicate *p, struct answers *a, struct fieldview_value *v)
{
    bool is_search = p->op == PREDICATE_CONTAINS || p->op == PREDICATE_STARTS ||
                     p->op == PREDICATE_ENDS || p->op == PREDICATE_GLOB || p->op == PREDICATE_REGEX;
    return is_search && fieldview_plain(a->view, v).at;
}

static bool holds(const struct predicate *p, struct answers *a, struct fieldview_value *v)
{
    if (p->op == PREDICATE_EXISTS)
        return true;
    if (p->op == PREDICATE_NULL)
        return v->type == VALUE_NULL;
    if (v->type == VALUE_NULL || (v->type == VALUE_OBJECT && !is_searched(p, a, v)))
        return false;
    const struct number *number = NULL;
    struct address address;
    switch (p->op) {
    case PREDICATE_EXISTS:
    case PREDICATE_NULL:
    case PREDICATE_UNTIL:
        break;
    case PREDICATE_EQUAL:
    case PREDICATE_CONTAINS:
    case PREDICATE_STARTS:
    case PREDICATE_ENDS:
        return is_text_match(p->op, comparable(p, a, v), p->text);
    case PREDICATE_IN:
        return is_in(p, comparable(p, a, v));
    case PREDICATE_GLOB:
        return glob_matches(&p->glob, comparable(p, a, v));
    case PREDICATE_REGEX:
        return is_regex_match(p, a, fieldview_plain(a->view, v));
    case PREDICATE_NUMBER:
        number = fieldview_number(a->view, v);
        return number && is_compared(p, number);
    case PREDICATE_TIME:
        return is_time_part(p, a, v);
    case PREDICATE_CIDR:
        return cidr_parse_address(fieldview_plain(a->view, v), &address) &&
               cidr_holds(&p->cidr, &address);
    case PREDICATE_FIELD:
        return is_other_field(p, a, comparable(p, a, v));
    }
    return false;
}

bool predicate_matches_text(const struct predicate *p, struct text t)
{
    if (p->op == PREDICATE_IN)
        return is_in(p, t);
    return p->op == PREDICATE_GLOB ? glob_matches(&p->glob, t) : is_text_match(p->op, t, p->text);
}

bool predicate_matches_number(const struct predicate *p, const struct number *n)
{
    return is_compared(p, n);
}

bool predicate_answer(const struct predicate *p, struct answers *a)
{
    if (p->op == PREDICATE_UNTIL)
        return fieldview_journal_us(a->view) <= p->number.whole;
    struct fieldview_value *v = fieldview_first(a->view, p->field);
    if (!v)
        return p->op == PREDICATE_NULL;
    for (; v; v = fieldview_next(a->view, v))
        if (holds(p, a, v))
            return true;
    return false;
}

const char *predicate_name(const struct predicate *p)
{
    static const char *const names[] = {
        [PREDICATE_EQUAL] = "equals",      [PREDICATE_IN] = "one of",
        [PREDICATE_CONTAINS] = "contains", [PREDICATE_STARTS] = "startswith",
        [PREDICATE_ENDS] = "endswith",     [PREDICATE_GLOB] = "wildcard",
        [PREDICATE_REGEX] = "re",          [PREDICATE_NUMBER] = "number",
        [PREDICATE_TIME] = "time",         [PREDICATE_CIDR] = "cidr",
        [PREDICATE_EXISTS] = "exists",     [PREDICATE_NULL] = "null",
        [PREDICATE_FIELD] = "fieldref",    [PREDICATE_UNTIL] = "until",
    };
    static const char *const compares[] = {"equals", "lt", "lte", "gt", "gte"};
    return p->op == PREDICATE_NUMBER ? compares[p->compare] : names[p->op];
}
