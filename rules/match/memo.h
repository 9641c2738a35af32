/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "rules/match/fieldview.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What a field's value led to the last time: logs say the same things over and over, and a value
 * whose bytes were searched before need not be unescaped, folded and searched again. Exact, for the
 * bytes are compared. Of fields whose values hardly repeat only every 64th is looked up.
 *
 * One thread; MEMO_ENTRIES of 256 bytes.
 */
enum { MEMO_ENTRIES = 2048, MEMO_VALUE = 192, MEMO_ATOMS = 9 };

struct memo_entry {
    uint64_t hash;
    uint32_t field; /* number of the partition's field + 1; 0: free */
    uint16_t len;
    uint8_t kind; /* of value: its type, and whether it has escapes */
    uint8_t count;
    uint32_t atoms[MEMO_ATOMS];
    char value[MEMO_VALUE];
};

struct memo;
/* `fields`: numbers are below that. */
NODISCARD enum status memo_new(uint32_t fields, struct memo **out, struct error *err);
void memo_free(struct memo *m);
AUTO_DEFINE(memo);

/* The place for this value: *out_is_known says whether its atoms are there already; else they are
 * to be told. NULL: not worth remembering. */
struct memo_entry *memo_find(struct memo *m, uint32_t field, const struct fieldview_value *value,
                             bool *out_is_known);
/* At a place that was not known: an atom more; more than MEMO_ATOMS make it forget. */
void memo_add(struct memo_entry *e, uint32_t atom);
/* It was not searched to the end: forgets. */
void memo_forget(struct memo_entry *e);
