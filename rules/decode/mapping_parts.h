/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include "base/hash.h"
#include "rules/decode/decoder_document.h"
#include "rules/decode/mapping.h"
#include "rules/decode/own_time.h"

/* What a mapping set is made of. Everything lives in the set's arena. */

enum {
    MAPPING_SLOTS = 2048,    /* most event names that conditions look at, in all mappings */
    MAPPING_FILTER = 32768,  /* bits */
    MAPPING_VALUE = 128,     /* longest value a condition may name */
    MAPPING_CLAUSES = 1024,  /* most clauses of all mappings' `when` */
    MAPPING_INNER_MOST = 32, /* most fields of one mapping that are decoded further */
    MAPPING_CANDIDATES = 64, /* most log sources of one mapping that one event is tried against */
};

/* A Sigma name and the event's names for it. `name` "*" is every other field. */
struct mapping_field {
    struct text name;
    struct decoder_document_texts targets;
};

/* One thing asked of one field. */
struct mapping_condition {
    struct text field;
    const uint16_t *slots; /* of the event's names for it, in order of preference */
    uint32_t slot_count;
    bool is_existence;         /* asks only whether the field is there */
    bool is_negated;           /* that it is not there, or has none of the values */
    const struct text *values; /* lower case; may hold '*' */
    uint32_t value_count;
    bool has_wildcard;
    uint64_t marks[4]; /* of the values, where none has a wildcard: see mapping_match_mark */
};
/* All of them must hold. */
struct mapping_clause {
    const struct mapping_condition *conditions;
    uint32_t count;
};
/* One of them must hold; none at all: always. */
struct mapping_when {
    const struct mapping_clause *clauses;
    uint32_t count;
};

/* One clause of one log source's `when`. */
struct mapping_source {
    struct logsource source;
    struct mapping_clause clause;
    struct mapping_clause rest; /* of the clause: what the dispatch has not decided */
};

/* Sources by the values that they want of two fields, so that an event meets only the few that can
 * apply. A key mixes both values' hashes; a source that does not ask counts as value 0. */
struct mapping_entry {
    uint64_t key;
    uint32_t first, count; /* in `order`; count 0: empty */
};
struct mapping_dispatch {
    const struct mapping_condition *by[2]; /* the fields; NULL: none */
    struct mapping_entry *table;           /* open addressing */
    uint32_t mask;
    const uint16_t *order; /* indexes of sources */
};

/* A field whose text a decoder reads further, or a list whose values become one text. */
struct mapping_inner {
    struct text field, name; /* the event's name; the decoder's */
    struct text joined;      /* the text's name; empty: a decoder reads the field */
    uint64_t hash;           /* of the field */
    struct mapping_when when;
    uint32_t line, column;
    uint16_t slot;
    const struct decoder *decoder; /* NULL: not linked, or no such one */
};

struct mapping {
    struct text name, file;
    uint32_t line;
    bool is_shipped;
    struct hash128 content;
    struct hash128 like; /* content of the mapping whose log sources it took */
    struct mapping_when when;
    const struct mapping_field *fields;
    uint32_t field_count;
    const struct entity_field *entities;
    uint32_t entity_count;
    struct own_times times;
    struct mapping_source *sources;
    uint32_t source_count;
    struct mapping_inner *inner;
    uint32_t inner_count;
    const struct logsource *logsources; /* of sources, each once */
    uint32_t logsource_count;
    struct mapping_dispatch dispatch;
};

struct mapping_watch {
    uint64_t hash;
    uint32_t slot; /* 1 + index; 0: empty */
};

/* The event's first field for each slot; only those whose bit is set are written. */
struct mapping_seen {
    uint64_t has[MAPPING_SLOTS / 64];
    const struct field *fields[MAPPING_SLOTS];
};
static inline const struct field *mapping_seen_field(const struct mapping_seen *seen, uint32_t slot)
{
    return seen->has[slot / 64] >> (slot % 64) & 1 ? seen->fields[slot] : NULL;
}

/* One clause of a mapping's `when`. A clause is looked at only where the event has one of the
 * fields that its guard, one positive condition, asks for. */
struct mapping_gate {
    const struct mapping_clause *clause;
    uint32_t mapping; /* index in the set */
};
struct mapping_guard {
    const uint16_t *gates; /* that this slot opens */
    uint32_t count;
};

/* A slot that the envelope fills where the event has no such field. */
enum mapping_envelope {
    MAPPING_NO_ENVELOPE,
    MAPPING_PROGRAM,
    MAPPING_HOST,
    MAPPING_PID,
    MAPPING_MSGID,
    MAPPING_PEER,
};
enum { MAPPING_HEADERS = 10 }; /* each by its name alone and as syslog.* */
struct mapping_header {
    uint16_t slot;
    enum mapping_envelope which;
    uint64_t hash;
};

struct mapping_set {
    struct arena arena;
    struct mapping **mappings;
    uint32_t count, max;
    struct hash128 content;
    struct text slot_names[MAPPING_SLOTS];
    uint32_t slot_count;
    struct mapping_watch *watch; /* by name's hash, open addressing */
    uint32_t watch_mask;
    uint64_t filter[MAPPING_FILTER / 64]; /* by name's hash: most names are nobody's */
    struct mapping_header headers[MAPPING_HEADERS];
    uint32_t header_count;
    struct mapping_gate *gates; /* in order of mappings */
    uint32_t gate_count;
    struct mapping_guard *guards;          /* by slot */
    uint64_t always[MAPPING_CLAUSES / 64]; /* gates without a guard */
};

/* The value as conditions compare it: lower case, in `lower` (MAPPING_VALUE bytes). False where it
 * is longer than any value can be. */
bool mapping_match_fold(const struct field *f, char *lower, struct text *out);
/* A bit of 256 that tells most values apart. */
uint32_t mapping_match_mark(struct text value);
/* Whether one clause holds, or there is none. */
bool mapping_match_when(const struct mapping_when *when, const struct mapping_seen *seen);
bool mapping_match_clause(const struct mapping_clause *clause, const struct mapping_seen *seen);
/* The field a condition is about, or NULL. */
const struct field *mapping_match_field(const struct mapping_condition *c,
                                        const struct mapping_seen *seen);

/* Finds the slots that the envelope fills. */
void mapping_envelope_build(struct mapping_set *s);
/* What it says; empty where it says nothing. */
struct text mapping_envelope_value(enum mapping_envelope which, const struct event *event);

/* Builds the set's gates and guards. False without memory or above MAPPING_CLAUSES. */
bool mapping_gate_build(struct mapping_set *s);
/* 1 + index of the first mapping whose `when` holds, or 0. `open` has the gates that may. */
uint32_t mapping_gate_find(const struct mapping_set *s, const uint64_t *open,
                           const struct mapping_seen *seen);

/* Builds m->dispatch from m->sources. False without memory. */
bool mapping_dispatch_build(struct mapping *m, struct arena *arena);
/* Indexes of the sources that may apply, ascending; at most MAPPING_CANDIDATES. */
uint32_t mapping_dispatch_find(const struct mapping *m, const struct mapping_seen *seen,
                               uint16_t *out);

/* mapping_resolve on one mapping. */
uint32_t mapping_names(const struct mapping *m, struct text sigma_name, struct arena *arena,
                       struct text out_names[MAPPING_NAMES]);
