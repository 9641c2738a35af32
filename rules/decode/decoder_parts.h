/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/event.h"
#include "base/hash.h"
#include "rules/decode/decoder.h"
#include "rules/decode/decoder_regex.h"
#include "rules/decode/own_time.h"

/* What a decoder set is made of. Everything lives in the set's arena but the regexes. */

/* A named group and the field it becomes. */
struct decoder_capture {
    struct text name;
    uint64_t hash;
    uint32_t group;
    bool is_again; /* an earlier group has this name: the first that took part counts */
};

/* From a pair's key, or a group's name, to a field's name. */
struct decoder_name {
    struct text from, to; /* to empty: not kept */
    uint64_t from_hash, to_hash;
};
struct decoder_names {
    const struct decoder_name *items; /* sorted by from_hash */
    uint32_t count;
};

/* A group whose bytes hold more fields: key=value pairs, columns, or <Data Name="key"> elements. */
enum decoder_spread_kind {
    DECODER_SPREAD_NONE,
    DECODER_SPREAD_PAIRS,
    DECODER_SPREAD_COLUMNS,
    DECODER_SPREAD_ELEMENTS,
};
struct decoder_spread {
    enum decoder_spread_kind kind;
    uint32_t group;
    char separator;
    char joiner;                    /* pairs: between key and value */
    struct text unset;              /* this value means none */
    const struct decoder_name *hex; /* pairs: unquoted values of these keys (from) are hex */
    uint32_t hex_count;
    const struct decoder_name *columns; /* to empty: not kept */
    uint32_t column_count;
};

struct decoder_pattern {
    struct text name;
    struct text literal;          /* every message that matches begins so; may be empty */
    struct decoder_firsts firsts; /* ... and with one of these bytes */
    bool is_never_empty;          /* the empty message cannot match */
    struct decoder_regex *regex;
    const struct decoder_capture *captures;
    uint32_t capture_count;
    const struct field *constants; /* `set` */
    uint32_t constant_count;
    struct decoder_spread spread;
    struct own_times times; /* before the decoder's */
};

struct decoder_sample {
    uint32_t line, column;
    struct text log, program;
    struct text pattern;        /* which one must match; empty: any */
    bool is_undecoded;          /* no pattern may match */
    const struct field *fields; /* wanted; VALUE_NULL: must not be there */
    uint32_t field_count;
    bool has_time;
    int64_t time_us; /* wanted; a date without year is the one nearest to it */
};

struct decoder {
    struct text name, file;
    uint32_t line, index;
    bool is_shipped;
    struct hash128 content;
    const struct logsource *logsources; /* that it sets */
    uint32_t logsource_count;
    const struct text *programs; /* lower case; "x*": begins so */
    uint32_t program_count;
    struct logsource match; /* responsible for events of this log source */
    bool has_match;
    uint64_t match_mark;   /* the bit of what `match` says: see decoder_index_mark */
    bool is_part;          /* reads what stands inside fields, where mappings name it */
    bool takes_parameters; /* of structured data, as fields */
    bool is_replacing;     /* its fields stand in for those that reading as key=value found */
    struct decoder_regex *when;
    struct text when_literal;
    struct decoder_firsts when_firsts;
    bool is_when_never_empty;
    const struct entity_field *entities;
    uint32_t entity_count;
    struct decoder_names names;
    struct own_times times;
    struct decoder_pattern *patterns;
    uint32_t pattern_count;
    const struct decoder_sample *samples;
    uint32_t sample_count;
    /* Patterns that can match a message by its first byte: order[starts[b]..starts[b + 1]]; 256
     * stands for the empty message. */
    const uint16_t *order;
    uint32_t starts[258];
};

/* Decoders that one program name leads to. */
struct decoder_program {
    struct text name; /* lower case, without the star */
    uint64_t hash;
    const uint32_t *decoders; /* indexes, ascending */
    uint32_t count;
};

enum { DECODER_PROGRAM = 64 }; /* longest program name that is looked up */

/* Names under which JSON carries the program and the text of a log line. */
enum { DECODER_WRAPPED = 12 };
struct decoder_wrapped {
    uint64_t programs[DECODER_WRAPPED], messages[DECODER_WRAPPED]; /* hashes; 0 behind the last */
};

struct decoder_set {
    struct arena arena;
    struct decoder_wrapped wrapped;
    struct decoder **decoders;
    uint32_t count, max;
    struct hash128 content;
    struct decoder_program *table; /* open addressing, size a power of two */
    uint32_t table_mask;
    struct decoder_program *prefixes; /* longest first */
    uint32_t prefix_count;
    const uint32_t *matches; /* indexes of decoders with has_match */
    uint32_t match_count;
    /* Indexes of decoders with `when` by what a message begins with, as decoder.order. */
    const uint32_t *whens;
    uint32_t when_starts[258];
};

/* The field name for `from`: NULL where it keeps its own. */
const struct decoder_name *decoder_index_name(const struct decoder_names *names, uint64_t hash,
                                              struct text from);
/* What every match of an anchored pattern begins with, copied; empty where none is known. */
struct text decoder_index_literal(struct text pattern, struct arena *arena);
/* First bytes, as decoder_regex_firsts; all where branches make the anchor hold for one only. */
bool decoder_index_firsts(struct text pattern, struct decoder_firsts *out);
/* One of 64 bits, the same for names that differ in case alone; 0 for an empty name. */
uint64_t decoder_index_mark(struct text name);
/* Tables by first byte, of one decoder. False without memory. */
bool decoder_index_patterns(struct decoder *d, struct arena *arena);
/* Tables by program, log source and `when`, of the whole set. False without memory. */
bool decoder_index_set(struct decoder_set *s);

/* IPv4-mapped IPv6 addresses lose their prefix; other values stay. */
struct text decoder_field_address(struct text value);
/* Adds a field under the name that is meant for it, if any. */
void decoder_field_add(struct event *event, const struct decoder_name *name, struct text value);
/* Adds one field of a spread group, under the name that its key has. */
void decoder_field_spread(const struct decoder_names *names, struct text key, struct text value,
                          struct event *event);

/* Adds the fields that a spread group's bytes hold. */
void decoder_spread_add(const struct decoder_spread *spread, const struct decoder_names *names,
                        struct text bytes, struct event *event, struct arena *arena);
void decoder_elements_add(const struct decoder_spread *spread, const struct decoder_names *names,
                          struct text rest, struct event *event, struct arena *arena);
void decoder_wrapped_init(struct decoder_wrapped *w);
/* Whether a field of this name may hold a program or its message. */
bool decoder_wrapped_reads(const struct decoder_wrapped *w, uint64_t hash);
/* Takes program and message of a line that came inside JSON (journald, Fluentd, containers) out of
 * its fields, where there are both. */
void decoder_wrapped_open(const struct decoder_wrapped *w, struct event *event,
                          struct arena *arena);

/* Frees what is not in the arena: the regexes. */
void decoder_release(struct decoder *d);

/* Tries the decoder's patterns in order. The one that matched, its fields added, or NULL. */
struct decoder_scratch;
const struct decoder_pattern *decoder_try(const struct decoder *d, struct decoder_scratch *c,
                                          struct event *event, struct arena *arena);
