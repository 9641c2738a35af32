/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/option.h"
#include "ingest/door/endpoint.h"
#include "ingest/door/lane.h"
#include "ingest/ingest.h"
#include <stdatomic.h>

/*
 * What every door has in common, and the table through which a kind of door plugs in. A kind is
 * one file with one `const struct source_type <stem>_type`, named in the table of kinds; its object
 * begins with a struct source, and its option rows have their offsets in that object:
 *
 *   struct kafka { struct source source; struct option_texts topics; ... };
 *   const struct source_type kafka_type = {
 *       .key = "kafka", .kind = "kafka", .size_bytes = sizeof(struct kafka),
 *       .options = rows, .option_count = 3, .open = open_kafka, ... };
 */
enum { SOURCE_LANES = 16, SOURCE_TAKE_MS = 100, SOURCE_ADDRESS_LEN = 160, SOURCE_LABELS_LEN = 288 };

struct source_type;
struct allow_list;

struct source {
    const struct source_type *type;
    struct intake intake;
    struct arena arena; /* option texts; lives as long as the source */
    uint32_t index;     /* record.source */
    char address[SOURCE_ADDRESS_LEN];
    char labels[SOURCE_LABELS_LEN]; /* `source="0",kind="syslog-udp",address="..."` */
    _Atomic bool is_stopping;
    int stop_fd; /* eventfd: readable from source_stop on */
    bool has_opened, is_started;
    bool is_passed;                  /* systemd opened its socket */
    uint32_t lane_count;             /* set by open, at least 1 */
    struct lane lanes[SOURCE_LANES]; /* one for each reading thread */
    counter connections_total, connections_refused, connections_idle;
    _Atomic int64_t connections; /* open now */

    /* Options of every kind. */
    int durability; /* enum durability */
    int format;     /* enum format */
    uint64_t max_message_bytes;
    struct text zone;      /* as written; empty: the program's */
    int dates;             /* of date_orders */
    uint32_t record_flags; /* of every record: zone, order of dates */
    /* Options of doors to the network. */
    struct text listen;
    struct option_texts allow_texts;
    struct allow_list *allow; /* NULL: everybody */
    /* Options of streams. */
    int64_t max_connections;
    int64_t idle_us, evict_us;
};

enum source_trait {
    SOURCE_NET = 1U << 0,    /* listen, allow */
    SOURCE_STREAM = 1U << 1, /* max_connections, idle */
};

struct source_type {
    const char *key;  /* "syslog_udp", as in the configuration */
    const char *kind; /* "syslog-udp", as in the ready line and in labels */
    const char *help; /* one sentence */
    size_t size_bytes;
    uint32_t traits;              /* enum source_trait */
    const char *listen;           /* SOURCE_NET: default of `listen` */
    const char *format;           /* default of `format`; NULL: "syslog" */
    const struct option *options; /* rows beyond the common ones */
    uint32_t option_count;
    /* Options are read: binds, writes source->address, may raise lane_count (1). When it fails
     * `close` follows. */
    enum status (*open)(struct source *s, struct error *err);
    /* Options are read: what `open` refuses before it takes anything, for `tocsin check`.
     * `has_proof` as in source_bind. May be NULL. */
    enum status (*check)(struct source *s, bool *has_proof, struct error *err);
    enum status (*start)(struct source *s, struct error *err);
    /* is_stopping is set and stop_fd readable: joins. Also after a start that failed. */
    void (*stop)(struct source *s);
    /* Gives back what open took, but not the struct itself. Also on a half-opened source. */
    void (*close)(struct source *s);
    /* Numbers beyond the common ones; may be NULL. Any thread. */
    void (*metrics)(const struct source *s, metric_fn tell, void *context);
    /* Messages that the kernel dropped so far; NULL: it drops none. Any thread. */
    uint64_t (*kernel_drops)(const struct source *s);
};

/*
 * Reads `listen`, refuses a door off loopback that has neither an allow-list nor `has_proof` (the
 * sender proves who it is), binds and writes the address. For `open` of SOURCE_NET kinds.
 */
NODISCARD enum status source_bind(struct source *s, int type, bool has_proof, int *out_fd,
                                  struct error *err);
/* What source_bind would refuse of `listen` before it takes a socket. OK for kinds without it. */
NODISCARD enum status source_bind_check(struct source *s, bool has_proof, struct error *err);

/*
 * Where a door remembers its place: `option` as it was written ("-": nowhere, empty: in the
 * program's folder), into `out` of `size` bytes; empty: nowhere. `identity` tells doors of a kind
 * apart; out_hash is its name in origins. For `open`.
 */
enum { SOURCE_HASH_LEN = 16 };
NODISCARD enum status source_state(const struct source *s, struct text option, struct text identity,
                                   char *out, size_t size, char out_hash[SOURCE_HASH_LEN + 1],
                                   struct error *err);

static inline bool source_is_stopping(const struct source *s)
{
    return atomic_load_explicit(&s->is_stopping, memory_order_acquire); /* partner: source_stop */
}
