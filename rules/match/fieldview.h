/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/event.h"
#include "base/own.h"
#include "rules/match/cidr.h"
#include "rules/match/fieldmap.h"
#include "rules/match/number.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One event as rules see it: the values of a field by its number, unescaped and folded once, when
 * first asked for. One per matcher, used again for every event; nothing is cleared between events,
 * slots carry the generation they belong to.
 */

enum {
    FIELDVIEW_VALUE_BYTES = 1 << 20, /* a longer value is matched up to here, and counted */
    FIELDVIEW_VALUES = 3 * EVENT_FIELDS,
};

struct fieldview_value {
    struct text raw;   /* as the event holds it */
    struct text plain; /* escapes undone; valid with has_plain */
    struct text folded;
    struct number number;
    enum value_type type;
    bool is_escaped, has_plain, has_folded, has_number, is_number;
    bool is_prefix; /* of a whole event: only its first part, or a part of another value */
    uint32_t next;  /* number of the next value of that field + 1; 0: none */
};

struct fieldview;
NODISCARD enum status fieldview_new(const struct fieldmap *maps, uint32_t map_count,
                                    uint32_t field_count, struct fieldview **out,
                                    struct error *err);
void fieldview_free(struct fieldview *v);
AUTO_DEFINE(fieldview);

/* Begins an event; it is borrowed until the next call. */
void fieldview_open(struct fieldview *v, const struct event *e);
/* The first value of a field, or NULL where the event does not have it. Field NAMES_WHOLE: every
 * text that keywords search. */
struct fieldview_value *fieldview_first(struct fieldview *v, uint32_t field);
struct fieldview_value *fieldview_next(struct fieldview *v, const struct fieldview_value *value);

/* The value's bytes; of an object its JSON, escapes undone; for null and arrays as such a NULL text
 * (an empty string has an address). */
struct text fieldview_plain(struct fieldview *v, struct fieldview_value *value);
/* The same, folded. */
struct text fieldview_folded(struct fieldview *v, struct fieldview_value *value);
/* NULL where it is no number. */
const struct number *fieldview_number(struct fieldview *v, struct fieldview_value *value);

/* Journal time with the event; without a record, its own. */
int64_t fieldview_journal_us(const struct fieldview *v);

/* Counters since the view was made. */
uint64_t fieldview_cut_values(const struct fieldview *v);
