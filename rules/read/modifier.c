/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/modifier.h"

enum kind {
    KIND_PLACE,
    KIND_STEP,
    KIND_ALL,
    KIND_CASED,
    KIND_NEQ,
    KIND_EXISTS,
    KIND_CIDR,
    KIND_EXPAND,
    KIND_FIELD,
    KIND_REGEX,
    KIND_FLAG,
    KIND_COMPARE,
    KIND_UNIT,
};

static const char *const names[] = {
    "contains", "startswith", "endswith", "all",  "exists", "cased",        "neq",      "windash",
    "re",       "i",          "m",        "s",    "base64", "base64offset", "utf16le",  "utf16be",
    "utf16",    "wide",       "lt",       "lte",  "gt",     "gte",          "minute",   "hour",
    "day",      "week",       "month",    "year", "cidr",   "expand",       "fieldref",
};
static const struct {
    enum kind kind;
    uint32_t value;
} meanings[sizeof names / sizeof *names] = {
    {KIND_PLACE, PLACE_CONTAINS},
    {KIND_PLACE, PLACE_STARTS},
    {KIND_PLACE, PLACE_ENDS},
    {KIND_ALL, 0},
    {KIND_EXISTS, 0},
    {KIND_CASED, 0},
    {KIND_NEQ, 0},
    {KIND_STEP, STEP_WINDASH},
    {KIND_REGEX, 0},
    {KIND_FLAG, REGEX_CASELESS},
    {KIND_FLAG, REGEX_MULTILINE},
    {KIND_FLAG, REGEX_DOTALL},
    {KIND_STEP, STEP_BASE64},
    {KIND_STEP, STEP_BASE64_OFFSET},
    {KIND_STEP, STEP_UTF16LE},
    {KIND_STEP, STEP_UTF16BE},
    {KIND_STEP, STEP_UTF16_BOM},
    {KIND_STEP, STEP_UTF16LE},
    {KIND_COMPARE, COMPARE_LT},
    {KIND_COMPARE, COMPARE_LTE},
    {KIND_COMPARE, COMPARE_GT},
    {KIND_COMPARE, COMPARE_GTE},
    {KIND_UNIT, UNIT_MINUTE},
    {KIND_UNIT, UNIT_HOUR},
    {KIND_UNIT, UNIT_DAY},
    {KIND_UNIT, UNIT_WEEK},
    {KIND_UNIT, UNIT_MONTH},
    {KIND_UNIT, UNIT_YEAR},
    {KIND_CIDR, 0},
    {KIND_EXPAND, 0},
    {KIND_FIELD, 0},
};

static enum status refuse(struct diagnostics *f, const struct yaml_node *key, const char *why)
{
    return diagnostic_error(f, key, "modifier-conflict", "'%.*s': %s", TEXT_ARG(key->value), why);
}

static enum status apply(size_t index, const struct yaml_node *key, struct diagnostics *f,
                         struct modifiers *m)
{
    uint32_t value = meanings[index].value;
    switch (meanings[index].kind) {
    case KIND_PLACE:
        if (m->place != PLACE_WHOLE)
            return refuse(f, key, "only one of contains, startswith and endswith can hold");
        m->place = (enum modifier_place)value;
        break;
    case KIND_STEP:
        if (m->step_count == sizeof m->steps / sizeof *m->steps)
            return refuse(f, key, "too many encodings");
        m->steps[m->step_count++] = (enum modifier_step_kind)value;
        break;
    case KIND_ALL:
        m->has_all = true;
        break;
    case KIND_CASED:
        m->is_cased = true;
        break;
    case KIND_NEQ:
        m->is_negated = true;
        break;
    case KIND_EXISTS:
        m->is_exists = true;
        break;
    case KIND_CIDR:
        m->is_cidr = true;
        break;
    case KIND_EXPAND:
        m->is_expand = true;
        break;
    case KIND_FIELD:
        m->is_field = true;
        break;
    case KIND_REGEX:
        m->is_regex = true;
        break;
    case KIND_FLAG:
        if (!m->is_regex)
            return refuse(f, key, "i, m and s are flags of re and stand behind it");
        m->regex_flags |= value;
        break;
    case KIND_COMPARE:
        if (m->has_compare)
            return refuse(f, key, "only one of lt, lte, gt and gte can hold");
        m->has_compare = true;
        m->compare = (enum predicate_compare)value;
        break;
    case KIND_UNIT:
        if (m->has_unit)
            return refuse(f, key, "only one part of the time can be asked for");
        m->has_unit = true;
        m->unit = (enum predicate_unit)value;
        break;
    }
    return STATUS_OK;
}

static enum status check(const struct modifiers *m, const struct yaml_node *key,
                         struct diagnostics *f)
{
    bool has_string = m->place != PLACE_WHOLE || m->step_count || m->is_cased;
    bool has_number = m->has_compare || m->has_unit;
    if (m->is_exists && (has_string || has_number || m->is_regex || m->is_cidr || m->is_expand ||
                         m->is_field || m->has_all))
        return refuse(f, key, "exists stands alone");
    if (m->is_regex && (m->step_count || m->is_cidr || m->is_field || m->is_expand || has_number))
        return refuse(f, key, "re takes only i, m, s, all and neq beside it");
    if (m->is_regex && (m->place == PLACE_STARTS || m->place == PLACE_ENDS))
        return refuse(f, key, "write the anchor ^ or $ into the expression instead");
    if (m->is_cidr && (has_string || has_number || m->is_field))
        return refuse(f, key, "cidr takes only expand, all and neq beside it");
    if (has_number && (has_string || m->is_field || m->is_expand))
        return refuse(f, key, "numbers and times are compared without string modifiers");
    if (m->is_field && (m->step_count || m->is_expand))
        return refuse(f, key, "fieldref names a field: its value cannot be encoded or expanded");
    if (!m->field.len && (m->is_exists || m->is_cidr || m->is_field || has_number))
        return refuse(f, key, "this modifier needs a field before it");
    return STATUS_OK;
}

enum status modifier_read(const struct yaml_node *key, struct diagnostics *diagnostics,
                          struct modifiers *out)
{
    struct modifiers m = {.place = PLACE_WHOLE};
    struct text rest = key->value;
    struct text word;
    (void)text_split(&rest, '|', &m.field);
    m.field = text_trim(m.field);
    while (text_split(&rest, '|', &word)) {
        size_t i = 0;
        while (i < sizeof names / sizeof *names && !text_equal(word, text_of(names[i])))
            i++;
        if (i == sizeof names / sizeof *names) {
            const char *near = diagnostic_nearest(word, names, sizeof names / sizeof *names);
            return diagnostic_error(
                diagnostics, key, "unknown-modifier", "'%.*s' is no modifier of Sigma 2.1.0%s%s%s",
                TEXT_ARG(word), near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        enum status status = apply(i, key, diagnostics, &m);
        if (status)
            return status;
    }
    enum status status = check(&m, key, diagnostics);
    if (!status)
        *out = m;
    return status;
}
