/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "incidents/store/incident_store.h"
#include "incidents/store/ledger.h"

/*
 * What the ledger ends with, from three sides that must agree: its last record, `tocsin:head`,
 * which is written beside every record, and what the stream says was ever added to it.
 */
struct ledger_end {
    struct ledger last;    /* the last record that is there */
    struct ledger head;    /* of tocsin:head; sequence 0: none */
    uint64_t generated;    /* highest number that was ever added */
    struct ledger goes_on; /* what the next record follows */
    bool is_damaged;       /* they do not agree: cut, or written anew */
};
NODISCARD enum status ledger_head_end_read(struct incident_store *store, struct arena *arena,
                                           struct ledger_end *out, struct error *err);
/* "SEQUENCE HEX", as of tocsin:head. */
bool ledger_head_parse(struct text text, struct ledger *out);
struct text ledger_head_write(const struct ledger *ledger, char out[LEDGER_HEX + 24]);
/* The number before the dash of a stream's id. */
uint64_t ledger_head_sequence_of(struct text id);
/* A value in the flat answer of XINFO STREAM; NULL: none. */
const struct reply *ledger_head_info(const struct reply *info, const char *name);
