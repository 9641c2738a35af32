/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include "base/stamp.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The names under which events carry their own time and host, and those by which a collector's
 * envelope around somebody else's line is known. Immutable after known_fields_init.
 */
enum { KNOWN_FIELDS_SLOTS = 512, KNOWN_FIELDS_WINDOWS = 8 };

/* What a name tells of an envelope; a set of them is a mask of bits. */
enum known_mark {
    MARK_NONE,
    /* the line itself */
    MARK_LOG,
    MARK_MESSAGE,
    MARK_JOURNAL_MESSAGE,
    MARK_SHORT_MESSAGE,
    MARK_EVENT,
    MARK_TEXT_PAYLOAD,
    MARK_JSON_MESSAGE,
    MARK_SYSLOG_MESSAGE,
    MARK_BODY,
    MARK_ORIGINAL,
    MARK_NOTICE,
    /* who carried it */
    MARK_STREAM,
    MARK_JOURNAL,
    MARK_GELF,
    MARK_SPLUNK,
    MARK_GCP,
    MARK_CLOUDWATCH,
    MARK_OTEL,
    MARK_SNS,
    MARK_BEAT,
    MARK_SHIPPER,
    MARK_DATE,
    MARK_WINDOWS,
    /* whose it is: a program's name can be made of it */
    MARK_PROGRAM,
    MARK_CONTAINER,
    MARK_IMAGE,
    MARK_DATASET,
    MARK_TAG,
    MARK_PATH,
    /* numbers of its header */
    MARK_PID,
    MARK_SEVERITY,
    MARK_FACILITY,
};
static inline uint64_t known_bit(enum known_mark mark)
{
    return UINT64_C(1) << mark;
}
/* Marks of which an envelope has one. */
static inline uint64_t known_lines(void)
{
    return (known_bit(MARK_NOTICE) << 1) - known_bit(MARK_LOG);
}
struct known_fields {
    uint64_t hashes[KNOWN_FIELDS_SLOTS]; /* open addressing; 0: free */
    uint8_t rows[KNOWN_FIELDS_SLOTS];
    uint64_t windows[KNOWN_FIELDS_WINDOWS];
};

void known_fields_init(struct known_fields *u);
/* Whether known_fields_apply looks at fields of this name. */
bool known_fields_reads(const struct known_fields *u, struct text name, uint64_t hash);
/* Whether it has a field that Windows events have: those carry their text along. */
bool known_fields_has_windows(const struct known_fields *u, const struct event *e);
/* What a field's name tells of an envelope. */
enum known_mark known_fields_mark(const struct known_fields *u, const struct field *f);
/*
 * Takes the event's time, and its host where it has none yet, from its fields: of several names the
 * most telling one counts ("@timestamp" before "time"), of one name the first value that is a time.
 * Where `has_time`, only the host. Gives the marks of all its fields.
 */
uint64_t known_fields_apply(const struct known_fields *u, struct stamp_reader *stamps,
                            struct arena *arena, bool has_time, struct event *e);
