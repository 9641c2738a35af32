/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/correlation.h"
#include "base/error.h"
#include "base/event.h"
#include "base/json_shape.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/record.h"
#include "base/yaml.h"
#include <stdbool.h>
#include <stdint.h>

/* Bytes in, events out: formats, and every door that bytes come through. */

/* ---- formats: one record -> one event ---- */

/* Scratch of one worker. Its own thread only. */
struct parser;
struct parser_options {
    enum format format; /* for records that say AUTO */
    int32_t zone_s;     /* seconds east of UTC for times without zone */
    int64_t now_us;     /* what a date without year is near to; 0: the record's receive_us */
    int64_t ahead_us;   /* an event time further than this after receipt is clamped to receipt;
                           0: never (files) */
};
NODISCARD enum status parser_new(const struct parser_options *options, struct parser **out,
                                 struct error *err);
void parser_free(struct parser *p);
AUTO_DEFINE(parser);
/* From here on of JSON records only the fields are taken out that `reads` says yes to
 * (ruleset_reads), and those that say time and host; NULL: all. Of alerts always all. Field names
 * of events read before may be gone: call between batches. `context` must stay until the next call.
 */
void parser_begin(struct parser *p, json_wanted_fn reads, const void *context);
/*
 * Reads one record: header, message, fields of JSON, CEF, LEEF and key=value, time, host. Never
 * fails: what is not understood is kept whole in `message` with a flag. Views point into the
 * record's raw bytes and into `arena`.
 */
void parser_read(struct parser *p, const struct record *r, struct arena *arena, struct event *out);
/* Counts by format and by reason of damage. */
void parser_metrics(const struct parser *p, metric_fn tell, void *context);
/* The event as one line of `tocsin parse`, newline included. `line` is the record's number;
 * `report` (may be NULL) is what rules made of it. */
void parser_write(const struct event *e, const struct entity_report *report, uint64_t line,
                  struct buffer *out);

/*
 * Column names that a stream tells in its first lines, W3C's "#Fields: " (IIS, CloudFront, proxies)
 * and Zeek's "#fields": every later record of that source and peer gets them, and the parser reads
 * its columns as fields. In journal order, on the dispatching thread.
 */
struct columns;
struct columns *columns_new(void); /* NULL without memory */
void columns_free(struct columns *c);
AUTO_DEFINE(columns);
void columns_follow(struct columns *c, struct batch *b);
/* Before another file. */
void columns_forget(struct columns *c);
/* As text, and back; false where it is none. */
void columns_save(const struct columns *c, struct buffer *out);
bool columns_load(struct columns *c, struct text saved);
/* Streams forgotten because there were too many. Any thread. */
uint64_t columns_evicted(const struct columns *c);

/* ---- drops: what was turned away, by sender ---- */

/*
 * Who lost what here: a bounded table by source and the sender's address. Those silent longest make
 * room and are summed up without a name. What the kernel drops has no sender: the sources count it.
 * Its lock is held for one lookup; any thread.
 */
struct drops;
enum drops_reason {
    DROPS_DENIED,                  /* messages whose sender is not in `allow` */
    DROPS_STOPPED,                 /* ... read while the program was stopping */
    DROPS_MEMORY,                  /* ... that found no memory */
    DROPS_QUARANTINED,             /* ... sent to the dead letter topic */
    DROPS_JOURNAL,                 /* ... that the journal refused: full, and the policy is drop */
    DROPS_EXCESS,                  /* ... of a request that were too long */
    DROPS_EMPTY,                   /* ... of nothing but line ends and NULs */
    DROPS_MESSAGES,                /* from here on: whole connections and requests */
    DROPS_BARRED = DROPS_MESSAGES, /* not in `allow` */
    DROPS_CROWDED,                 /* beyond max_connections */
    DROPS_BROKEN,                  /* their bytes were no messages, no handshake */
    DROPS_REJECTED,                /* answered as faulty */
    DROPS_OVERLOAD,                /* told to come again */
    DROPS_REASONS,
};
struct drops *drops_new(void);
void drops_free(struct drops *d);
AUTO_DEFINE(drops);
/* Counts nothing where `d` is NULL. */
void drops_count(struct drops *d, uint32_t source, struct text peer, enum drops_reason why,
                 uint64_t n);
/* Each record of a batch, for its sender. */
void drops_count_batch(struct drops *d, const struct batch *b, enum drops_reason why);

/* ---- doors ---- */

enum durability { DURABILITY_SYNC, DURABILITY_BATCH, DURABILITY_NONE };

/* Where sources get empty batches and leave full ones: a table that app fills. Any thread. */
struct intake {
    void *context;
    /* An empty batch, or NULL when there is none for `timeout_ms`: then the source stops reading
     * (or counts what the kernel drops). */
    struct batch *(*take)(void *context, uint64_t timeout_ms);
    /* Takes the batch (also an empty one, back into the pool). CLOSED at the stop: not taken. */
    enum status (*put)(void *context, struct batch *b);
    /* journal_mark, for Kafka: lets it see that a topic was made anew. NULL: it cannot. */
    int64_t (*mark)(void *context, struct text stream);
    /* Folder for what doors remember over restarts, made where it is missing. NULL: only those that
     * are told a file remember. */
    const char *state_dir;
    /* True while so much waits behind that a source whose sender can wait should read little. NULL:
     * never. */
    bool (*is_long)(void *context);
    struct drops *drops; /* borrowed; NULL: nobody asks who lost what */
};

struct source;
/*
 * Opens one source as the configuration writes it: a mapping with one key, the kind
 * ("syslog_udp", "syslog_tcp", "syslog_tls", "relp", "unix", "file", "stdin", "kafka", ...), and
 * its options. Binds, so that a busy port is said here. `index` becomes record.source. `intake` is
 * copied.
 */
NODISCARD enum status source_open(const struct yaml_node *node, uint32_t index,
                                  const struct intake *intake, struct source **out,
                                  struct error *err);
/* Whether `node` would be read, without opening a door: why not, with the line. */
NODISCARD enum status source_check(const struct yaml_node *node, struct error *err);
/* Starts its threads. */
NODISCARD enum status source_start(struct source *s, struct error *err);
/* Stops reading, sends on what it has, joins its threads. Then it may be closed. */
void source_stop(struct source *s);
void source_close(struct source *s);
static inline void source_free(struct source *s)
{
    source_close(s);
}
AUTO_DEFINE(source);
/* "syslog-udp" and "127.0.0.1:5514" (with the real port), for the ready line. */
const char *source_kind(const struct source *s);
const char *source_address(const struct source *s);
enum durability source_durability(const struct source *s);
/* received, bytes, drops by reason, connections, ... */
void source_metrics(const struct source *s, metric_fn tell, void *context);
/* The options of every kind, as YAML with help, for --print-config. */
void source_print_options(struct buffer *out);
/* When the certificate in a PEM file ends; TIMESTAMP_NONE where it cannot be read. */
int64_t source_certificate_end(const char *path);
/* Sockets that systemd passed and no source was opened for. At start-up. */
int source_passed_left(void);
/* Before the program executes itself anew: passed sockets stay open over that. */
void source_keep_passed(void);

/* Records from a file (plain, gzip, zstd by their first bytes) or "-", for replay and parse. */
struct file_reader;
NODISCARD enum status file_reader_open(const char *path, bool has_nul_frames,
                                       struct file_reader **out, struct error *err);
void file_reader_free(struct file_reader *r);
AUTO_DEFINE(file_reader);
/* Fills `out` (reset before); positions are line numbers from 1. AGAIN at the end. */
NODISCARD enum status file_reader_next(struct file_reader *r, struct batch *out, struct error *err);
uint64_t file_reader_bytes(const struct file_reader *r); /* decompressed so far */
/* Share of the file that was read, 0..1, or -1 where the size is unknown. */
double file_reader_progress(const struct file_reader *r);

/* ---- webhooks: the HTTP port is console's, the body comes here ---- */

struct webhooks;
struct webhook_request {
    /* The path as it was sent, %XX and all. */
    struct text method, path, query, content_type, authorization, body, peer;
    /* A header's value by its name without case, or an empty text. */
    struct text (*header)(void *context, const char *name);
    void *header_context;
    /*
     * Sends what `out` holds on its way, waits until it is durable and leaves `out` empty: for
     * requests of more records than a batch holds. False: it is not stored, and the request is
     * answered as under overload. NULL: more than a batch is refused.
     */
    bool (*flush)(void *context, struct batch *out);
    void *flush_context;
    bool is_remote; /* came through a door that is not on loopback: an address or a key is needed */
    /*
     * Takes so many bytes from (below 0: gives them back to) the budget that all requests share,
     * before they are allocated. False: too much at once, the request is answered as under
     * overload. What is held at the end is given back by whoever lends. NULL: no budget.
     */
    bool (*hold)(void *context, int64_t bytes);
    void *hold_context;
};
struct webhook_reply {
    int status;               /* HTTP */
    const char *content_type; /* static */
    uint32_t retry_after_s;   /* 0: none */
    const char *product;      /* static, of X-Elastic-Product; NULL: none */
    struct buffer body;
};
NODISCARD enum status webhooks_open(const struct yaml_node *node, uint32_t source_index,
                                    struct webhooks **out, struct error *err);
void webhooks_free(struct webhooks *w);
AUTO_DEFINE(webhooks);
/* True where `path` belongs to a webhook. */
bool webhooks_owns(const struct webhooks *w, struct text path);
/* The longest body that is taken. */
uint64_t webhooks_max_body(const struct webhooks *w);
/* Where else than at the console's port they are to be taken: address and port, or empty. */
struct text webhooks_listen(const struct webhooks *w);
/* PEM files for TLS there; both empty: none. */
void webhooks_tls(const struct webhooks *w, struct text *out_certificate, struct text *out_key);
/*
 * Reads one request into records of `out` and prepares the reply that its sender expects once they
 * are durable. False: nothing to store, send the reply at once. Any thread.
 */
bool webhooks_take(struct webhooks *w, const struct webhook_request *request, struct batch *out,
                   struct webhook_reply *reply);
/*
 * Whether the sender may send at all, asked with the head alone (`body` empty), before a byte of
 * the body is read. False: the reply says why not. *out_max_body: the longest body to read; of
 * senders that show their key inside it, only as much as theirs ever have. Takes nothing from a
 * key's rate.
 */
bool webhooks_admit(struct webhooks *w, const struct webhook_request *head, uint64_t *out_max_body,
                    struct webhook_reply *reply);
/* The reply under overload, as the sender of that path expects it (429, 503, 403 ...). */
void webhooks_refuse(const struct webhooks *w, const struct webhook_request *request,
                     struct webhook_reply *reply);
void webhooks_metrics(const struct webhooks *w, metric_fn tell, void *context);
/* The integrations' names, which are the scopes of keys too; NULL behind the last. */
const char *webhooks_integration(uint32_t index);
/* The options as YAML with help, indented by two, for --print-config. */
void webhooks_print_options(struct buffer *out);

/* ---- keys: who may send ---- */

/*
 * Ingest keys in one file of the data folder: shown once when made, then only their SHA-256 is
 * known. A key is 32 letters and digits (so that it also fits where PagerDuty wants a routing key),
 * the first 8 of them its id. Any thread; several processes may use the file at once.
 */
struct keyring;
enum { KEYRING_KEY_LEN = 32, KEYRING_ID_LEN = 8 };
struct keyring_entry {
    char id[KEYRING_ID_LEN + 1];
    char name[64];  /* who has it */
    char scope[64]; /* an integration ("alertmanager", "pagerduty", "events"), or "*" */
    int64_t created_us;
    int64_t expires_us; /* TIMESTAMP_NONE: never */
    int64_t revoked_us; /* TIMESTAMP_NONE: it is good */
    int64_t rate_per_s; /* requests a second, twice that in a burst; 0: no limit */
};
/* The file (mode 0600) is made with the first key. */
NODISCARD enum status keyring_open(const char *path, struct keyring **out, struct error *err);
void keyring_free(struct keyring *k);
AUTO_DEFINE(keyring);
/* Makes a key for `want` (name, scope, expires_us and rate_per_s are read) and gives it, with a
 * NUL. EXISTS where a good key has that name for that scope already. */
NODISCARD enum status keyring_add(struct keyring *k, const struct keyring_entry *want,
                                  char out_key[KEYRING_KEY_LEN + 1], struct error *err);
/* By id, or by a name that one good key has. NOTFOUND, CONFLICT (several have it). */
NODISCARD enum status keyring_revoke(struct keyring *k, struct text id_or_name, struct error *err);
/* Calls `tell` for each key, oldest first, revoked ones too. */
void keyring_list(struct keyring *k, void (*tell)(void *context, const struct keyring_entry *e),
                  void *context);
/* OK (`out`, may be NULL, is filled), DENIED: unknown, revoked, expired, other scope; LIMIT: faster
 * than its rate. Sees what other processes changed within a second. */
NODISCARD enum status keyring_check(struct keyring *k, struct text key, struct text scope,
                                    int64_t now_us, struct keyring_entry *out);
/* Whether keyring_check would not say DENIED; takes nothing from the rate. */
bool keyring_knows(struct keyring *k, struct text key, struct text scope, int64_t now_us);

/*
 * From here on a request must show a good key where `is_required`; a good one is held to its rate
 * in any case. Where it is looked for: Authorization (Bearer, GenieKey, Splunk, Basic's
 * password, ApiKey's second half), X-Api-Key, the query's `key` or `token`, PagerDuty's routing_key
 * and service_key. Borrows `k`. Before the first request.
 */
void webhooks_use_keys(struct webhooks *w, struct keyring *k, bool is_required);
/* Requests turned away are counted for their sender from here on. Borrows `d`. */
void webhooks_use_drops(struct webhooks *w, struct drops *d);

/* ---- hosts: who sent what ---- */

/*
 * What each host sent, as one worker saw it: a bounded table, read by others under its lock. A host
 * is (source, event's host); beyond the ceiling the one unheard longest makes room.
 */
struct hosts;
struct hosts *hosts_new(uint32_t max_hosts);
void hosts_free(struct hosts *h);
AUTO_DEFINE(hosts);
/* Around the events of one batch, on the worker's thread. */
void hosts_begin(struct hosts *h);
void hosts_see(struct hosts *h, const struct event *e);
void hosts_end(struct hosts *h);
/*
 * A JSON array over the tables of all workers, each element {"source","host","peer","records",
 * "bytes","rate","first_seen","last_seen","last_event","clock_offset_s","damaged","undecoded",
 * "truncated","assumed":{"year":n,..},"dropped","refused","reasons":{..}}; rate is records a second
 * over the last minute. `assumed` counts records whose time, year, zone or order of day and month
 * had to be assumed, or stood in a form that nobody named (`unreadable`); it is left out where none
 * had. `dropped` are messages, `refused` connections and requests, from `drops` (NULL: all 0): they
 * know the sender's address alone, so they stand with the host that is the only one behind it, else
 * in an element of their own whose host is the address. Most recent first, at most `most`.
 */
void hosts_write(struct hosts *const *tables, uint32_t count, struct drops *drops, int64_t now_us,
                 uint32_t most, struct buffer *out);
