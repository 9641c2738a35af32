/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/event.h"
#include "rules/decode/decoder_document.h"
#include "rules/decode/time_zone.h"

/*
 * Where an event says when it happened, as a decoder or mapping writes it under `time`: fields in
 * order of preference, and how each of them is written.
 *
 *   time: eventTime
 *   time: [{field: ts, form: epoch_ms}, {field: [date, time], zone: tz}, {field: t, form: "%d.%m.%Y
 * %T"}]
 */
enum own_time_form {
    OWN_TIME_GUESSED, /* any shape that is told by its look */
    OWN_TIME_RFC3339,
    OWN_TIME_EPOCH, /* of per_s units a second */
    OWN_TIME_PATTERN,
};

/* A field by name; hash 0: none. */
struct own_time_field {
    struct text name;
    uint64_t hash;
};

struct own_time_item {
    struct own_time_field fields[2]; /* the second one follows behind a blank */
    enum own_time_form form;
    int64_t per_s;
    struct text pattern;
    bool has_zone; /* zone_s counts where the time names none */
    int32_t zone_s;
    const struct time_zone *place; /* ... or what clocks show there; NULL: nobody says */
    struct own_time_field zone;    /* ... or what this field says */
};
struct own_times {
    const struct own_time_item *items;
    uint32_t count;
};

/* Reads the value of a `time` key. Told as errors: what is wrong with it. */
bool own_time_read(struct decoder_document *d, const struct yaml_node *node, struct own_times *out);
/* Whether a field of this name is one of them. */
bool own_time_reads(const struct own_times *times, uint64_t hash);

enum own_time_result { OWN_TIME_NONE, OWN_TIME_TAKEN, OWN_TIME_UNREADABLE };
/*
 * Sets the event's time, and what of it was assumed, to the first one that is there and readable.
 * Fields from `from` on are asked before the others: they are nearer. UNREADABLE: some are there,
 * none can be read, and the event says so by its flag. An alert keeps its time of receipt.
 */
enum own_time_result own_time_apply(const struct own_times *times, uint32_t from,
                                    struct event *event, struct arena *arena);
