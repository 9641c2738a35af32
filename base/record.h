/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/hash.h"
#include "base/mailbox.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* What a source hands to the journal and the journal to the workers: raw bytes and their receipt.
 */

enum record_kind {
    RECORD_EVENT,      /* one framed message, as it came */
    RECORD_ALERT,      /* one alert of a monitoring system, normalized by ingest to JSON */
    RECORD_TICK,       /* nothing came: only journal time moves on */
    RECORD_GAP,        /* a start: journal time jumps over the time that nobody listened */
    RECORD_RULESET,    /* from here on this ruleset decides; raw is its hash in hex */
    RECORD_CONFIDENCE, /* from here on these learned confidences count; raw is JSON */
};

/* How the bytes are to be read. FORMAT_AUTO looks at them. */
enum format {
    FORMAT_AUTO,
    FORMAT_SYSLOG, /* RFC 5424 or 3164, told apart by the bytes */
    FORMAT_RFC5424,
    FORMAT_RFC3164,
    FORMAT_JSON,
    FORMAT_CEF,
    FORMAT_LEEF,
    FORMAT_KV,
    FORMAT_RAW,
};

enum record_flag {
    RECORD_TRUNCATED = 1U << 0,   /* longer than the source's limit: the rest was skipped */
    RECORD_EXEMPT = 1U << 1,      /* its source has durability none */
    RECORD_RESUMED = 1U << 2,     /* first of its stream since its source got that (Kafka): nothing
                                     before it is on its way */
    RECORD_HAS_ZONE = 1U << 4,    /* its source has a zone of its own: record_zone_s */
    RECORD_DAY_FIRST = 1U << 5,   /* its source writes 04/03/2026 for the fourth of March */
    RECORD_MONTH_FIRST = 1U << 6, /* ... for the third of April */
    /* bits 7 to 15: record_part */
};

struct record {
    struct text raw;     /* the message without its frame; may hold any byte */
    struct text peer;    /* sender's address without port, a path, or empty */
    struct text columns; /* names of a line's columns, where its stream told them; filled at
                            dispatch, in the batch's arena */
    struct text origin;  /* the sender's own identity of this message ("kafka:topic:3:17",
                            "dedup:..."), or empty: then the position is its identity */
    int64_t receive_us;  /* wall clock at receipt, as the source read it */
    int64_t journal_us;  /* journal time with this record: highest receive_us so far */
    uint64_t position;   /* journal sequence; over files the line number, from 1 */
    uint64_t instance;   /* of the journal that gave the position; 0: no journal did, or one
                            written before there were instances */
    uint32_t epoch;      /* journal epoch, raised by each start */
    uint32_t source;     /* index in the program's table of sources */
    enum record_kind kind;
    enum format format;
    uint32_t flags; /* enum record_flag */
};

/* The zone of times that name none, minutes east of UTC in the upper half of the flags, so that the
 * journal keeps it with the record. */
static inline uint32_t record_zone_flags(int32_t zone_s)
{
    return (uint32_t)RECORD_HAS_ZONE | (uint32_t)(zone_s / 60 + 0x8000) << 16;
}
static inline int32_t record_zone_s(const struct record *r, int32_t otherwise_s)
{
    return r->flags & RECORD_HAS_ZONE ? ((int32_t)(r->flags >> 16) - 0x8000) * 60 : otherwise_s;
}

/* Which event of its message it is, from 0: those of one message share an origin. */
enum { RECORD_PARTS = 512 }; /* most of one message; the last one is then all that is left */
static inline uint32_t record_part_flags(uint32_t part)
{
    return part << 7;
}
static inline uint32_t record_part(const struct record *r)
{
    return r->flags >> 7 & (RECORD_PARTS - 1);
}

/*
 * A detection's or event's identity: the origin where there is one, else the journal's: positions
 * of two machines that share a Redis never meet. Over files (epoch, position).
 */
struct hash128 record_identity(const struct record *r);
/* The journal's identity as an origin, "journal:<instance>:<epoch>:<position>", for who keeps a
 * record beyond its journal: the same record_identity. */
enum { RECORD_ORIGIN_LEN = 64 };
struct text record_journal_origin(const struct record *r, char out[RECORD_ORIGIN_LEN]);

enum {
    BATCH_RECORDS = 1024,         /* most records in a batch */
    BATCH_BYTES = 256 * 1024,     /* a source sends a batch on when it holds this much */
    BATCH_ARENA_BYTES = 64 << 20, /* ceiling of a batch's memory, results included */
};

struct feed;
struct detection;
struct ruleset;

/*
 * Up to BATCH_RECORDS records on their way through the program. Who holds the batch owns it and
 * all that its arena gave out; it goes source -> journal -> worker -> sequencer -> shards (which
 * only read it) -> record, and from there back into the pool.
 */
struct batch {
    struct mail mail;
    struct arena arena;     /* records, results, all views */
    struct record *records; /* BATCH_RECORDS of them */
    uint32_t count;         /* records in use */
    uint32_t source;        /* index in the program's table of sources */
    uint64_t number;        /* 1, 2, 3, ... in journal order */
    size_t raw_bytes;       /* sum of raw.len */

    /* The barrier: called once, on the journal's thread, when every record is as durable as its
     * source's policy says, or with is_ok false when it will never be. NULL: nobody waits. */
    void (*durable)(void *context, uint64_t token, bool is_ok);
    void *durable_context;
    uint64_t durable_token;

    /* Filled at dispatch. */
    struct ruleset *ruleset; /* the one that decides: one reference is held */
    bool is_checkpoint;      /* a checkpoint is cut behind this batch */
    bool is_whole;           /* ... of all windows, not of the changed ones alone */
    bool is_flush;           /* the last one: what lateness holds is released */
    struct text columns;     /* with is_checkpoint: what streams' columns are called, as state */
    bool has_lost_columns;   /* ... found no room */

    /* Filled by a worker. */
    struct feed *feeds; /* in order of position, then rule */
    uint32_t feed_count;
    struct detection **detections; /* of rules that report by themselves, same order */
    uint32_t detection_count;

    /* Filled by the sequencer: what lateness held and this batch releases. */
    struct feed *released;
    uint32_t released_count;
    struct mail *released_blocks; /* heap blocks behind them, freed with the batch */
    uint32_t refused_count;       /* results that found no room in the arena: counted as dropped */
};

/* A batch with an empty arena and room for BATCH_RECORDS. NULL without memory. */
struct batch *batch_new(void);
void batch_free(struct batch *b);
AUTO_DEFINE(batch);
/* Ready to be filled again. Ruleset references and released blocks must be gone. */
void batch_reset(struct batch *b);
/* The next record, zeroed, with `raw` copied into the arena; NULL when the batch is full. */
struct record *batch_add(struct batch *b, struct text raw);
static inline bool batch_is_full(const struct batch *b)
{
    return b->count == BATCH_RECORDS || b->raw_bytes >= BATCH_BYTES;
}
