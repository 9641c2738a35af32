/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The append-only record of everything that happened: JSON objects, each with the SHA-256 of the
 * one before it. h(n) = SHA-256(0x01, h(n-1), record n); h(0) is all zero. An edit or a hole is
 * found; a cut tail or a wholly rewritten chain is not, unless a head is known from elsewhere.
 */
enum { LEDGER_HASH = 32, LEDGER_HEX = 64 };

struct ledger {
    uint64_t sequence; /* of the last record; 0: none */
    unsigned char head[LEDGER_HASH];
};

struct ledger_entry {
    const char *kind;     /* "incident.opened" */
    struct text incident; /* or empty */
    struct text by;       /* who; empty: the program */
    int64_t time_us;
    struct text data; /* a JSON object, or empty */
};

/* Writes the record into `out`, moves the head on and gives the new head in hex. */
void ledger_append(struct ledger *l, const struct ledger_entry *e, struct buffer *out,
                   char out_hex[LEDGER_HEX + 1]);
/* The head behind `record`, given the head before it. */
void ledger_hash(const unsigned char before[LEDGER_HASH], struct text record,
                 unsigned char out[LEDGER_HASH]);
void ledger_to_hex(const unsigned char hash[LEDGER_HASH], char out[LEDGER_HEX + 1]);
bool ledger_from_hex(struct text hex, unsigned char out[LEDGER_HASH]);
