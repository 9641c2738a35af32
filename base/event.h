/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/record.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* One normalized log record or alert, made from a record by a worker and gone with the next one. */

enum value_type {
    VALUE_STRING,
    VALUE_NUMBER, /* value is the number as it was written */
    VALUE_TRUE,
    VALUE_FALSE,
    VALUE_NULL,
    VALUE_OBJECT, /* an object or array as such (it exists; its members are fields of their own);
                     value is its raw JSON */
};

struct field {
    struct text name;  /* dotted path, "winlog.event_data.Image"; array members share one name */
    struct text value; /* bytes; of a JSON string with is_escaped the bytes between the quotes */
    uint64_t hash;     /* event_name_hash(name) */
    enum value_type type;
    bool is_escaped; /* value holds JSON escapes still: json_unescape before use */
};

/* One parameter of RFC 5424 structured data, escapes undone. An element without parameters has one
 * entry with an empty key. */
struct sd_param {
    struct text id, key, value;
};

enum event_flag {
    EVENT_YEAR_ASSUMED = 1U << 0,   /* the header had no year */
    EVENT_ZONE_ASSUMED = 1U << 1,   /* the header had no zone */
    EVENT_TRUNCATED = 1U << 2,      /* the source cut it */
    EVENT_NOT_UTF8 = 1U << 3,       /* some bytes are not UTF-8 */
    EVENT_TIME_CLAMPED = 1U << 4,   /* its clock was ahead of receipt */
    EVENT_TIME_ASSUMED = 1U << 5,   /* no time in it: time of receipt */
    EVENT_HOST_ASSUMED = 1U << 6,   /* no host in it: the peer */
    EVENT_PRI_MISSING = 1U << 7,    /* no <PRI> */
    EVENT_HEADER_DAMAGED = 1U << 8, /* not what its format says: kept whole in message */
    EVENT_FIELDS_CUT = 1U << 9,     /* more fields than the limit */
    EVENT_UNDECODED = 1U << 10,     /* a decoder is responsible, no pattern matched */
    EVENT_TIME_UNREADABLE =
        1U << 11,                   /* a decoder or mapping names its time's field, no form fits */
    EVENT_ORDER_ASSUMED = 1U << 12, /* day and month could be the other way round */
    EVENT_REPEATS_CUT = 1U << 13,   /* it stands for more events than the limit */
};
enum { EVENT_FLAGS = 14 };
/* The flag's name as `tocsin parse` prints it ("year_assumed"), for a single bit. */
const char *event_flag_name(uint32_t bit);

struct logsource {
    struct text category, product, service; /* empty: not said */
};

enum { EVENT_LOGSOURCES = 8, EVENT_FIELDS = 4096, EVENT_REPEATS = 1000 };

struct event {
    const struct record *record;
    int64_t event_us;       /* the event's own time, else receipt */
    int64_t near_us;        /* a date without year is the one nearest to this */
    int64_t latest_us;      /* later than this it cannot have happened; 0: nobody says */
    int32_t zone_s;         /* of times that name none, east of UTC */
    uint32_t dates;         /* RECORD_DAY_FIRST or RECORD_MONTH_FIRST: the source said so; 0 */
    enum format format;     /* what the bytes turned out to be; never AUTO or SYSLOG */
    int facility, severity; /* 0..23 and 0..7, or -1 */
    struct text host, program, pid, msgid;
    struct text message; /* what is behind the header; the whole of it where there is none */
    uint32_t flags;      /* enum event_flag */
    uint32_t repeated;   /* it stands for so many events: "message repeated 5 times: [..]"; 0 and 1:
                            for itself; at most EVENT_REPEATS */

    struct field *fields; /* in order of appearance; event fields win over the envelope */
    uint32_t field_count, field_max;
    /* JSON: */
    struct text document;     /* the object that fields were taken out of; at NULL: none */
    uint32_t document_fields; /* the first so many fields are its members */
    bool is_partial;          /* it has members more, which nobody reads: json_scan gives them */
    bool is_plain;            /* it is ASCII without \u escapes */
    struct sd_param *params;
    uint32_t param_count, param_max;

    struct logsource logsources[EVENT_LOGSOURCES]; /* said by decoder or mapping, first is best */
    uint32_t logsource_count;
    uint32_t inner;   /* by bit: which fields its mapping hands to decoders */
    uint32_t mapping; /* 1 + index of the mapping that applied, in its ruleset; 0: none */
};

/* Empty for the next record: arrays stay, counts go to 0, facility and severity to -1. */
void event_reset(struct event *e, const struct record *r);
/* Frees the arrays of fields and parameters, which grow on the heap and are kept between events. */
void event_fini(struct event *e);

/* Adds a field (views are borrowed and must live as long as the event). False at EVENT_FIELDS or
 * without memory: EVENT_FIELDS_CUT is set. */
bool event_add_field(struct event *e, const struct field *f);
/* The same with a string value and the hash computed here. */
bool event_add(struct event *e, struct text name, struct text value);
bool event_add_param(struct event *e, struct text id, struct text key, struct text value);
/* The first field of that name, or NULL. */
const struct field *event_field(const struct event *e, struct text name);

static inline uint64_t event_name_hash(struct text name)
{
    return hash_seeded(name.at, name.len, 0);
}

const char *event_format_name(enum format f); /* "rfc5424" ... */
/* From a name as in COMMANDS ("auto", "syslog", "json", ...). False if unknown. */
bool event_format_parse(struct text name, enum format *out);
