/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include "incidents/store/effect.h"
#include "incidents/store/redis.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Where effects go: memory (replay, test) or Redis. The decisions know no difference. The
 * decider thread only.
 */
struct incident_store;
struct incident_store_calls {
    void (*close)(struct incident_store *s);
    /* Takes the effect, numbered. */
    void (*submit)(struct incident_store *s, struct effect *e);
    /* Sends and hears for up to timeout_ms. */
    void (*poll)(struct incident_store *s, uint64_t timeout_ms);
    /* A command and its answer, after everything submitted. IO while Redis is away. */
    enum status (*ask)(struct incident_store *s, const struct text *words, uint32_t count,
                       struct arena *arena, struct reply *out);
    /* A command whose answer nobody waits for: lost with the connection; its failure is counted. */
    enum status (*tell)(struct incident_store *s, const struct text *words, uint32_t count);
};

struct incident_store {
    const struct incident_store_calls *calls;
    uint64_t submitted;    /* number of the last effect taken */
    uint64_t acknowledged; /* number of the last effect that is durable */
    struct ledger ledger;  /* its head as of that one */
    uint32_t pending;      /* effects in between */
    size_t pending_bytes;
    uint64_t told, heard; /* `tell`s sent and answered */
    uint64_t tell_failures;
    uint64_t reconnects, resent;
    bool is_connected;
    bool is_memory;
    bool has_lost;    /* Redis is behind what it acknowledged: reload. Cleared by who reloads */
    bool is_fenced;   /* another writer took over: for good */
    bool is_full;     /* Redis is near its memory limit: nothing that grows */
    bool is_refusing; /* connected, but writes are refused: until one is not */
    bool is_silent;   /* asked, and no answer for seconds */
    char detail[160]; /* the last refusal, for a log line; empty: none */
};

/* What the keys are like: `tocsin:format`, absent where it is the first. */
enum { INCIDENT_STORE_FORMAT = 1 };

NODISCARD enum status incident_store_memory_open(struct incident_store **out, struct error *err);
/* Connects, loads the function, takes over as the writer. `out_warning` (may be NULL) is filled
 * where the server may lose acknowledged writes. */
NODISCARD enum status incident_store_redis_open(const char *socket, const char *url,
                                                struct incident_store **out,
                                                struct buffer *out_warning, struct error *err);

/* One command and its answer, for reading at a start: an error reply is IO, with its text. */
NODISCARD enum status incident_store_ask(struct incident_store *store, struct arena *arena,
                                         const struct text *words, uint32_t count,
                                         struct reply *out, struct error *err);
#define STORE_ASK(store, arena, out, err, ...)                                                     \
    incident_store_ask((store), (arena), (const struct text[]){__VA_ARGS__},                       \
                       sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text), (out),    \
                       (err))
enum { INCIDENT_STORE_ANSWER = 256 << 20 }; /* of answers at once */
/* Each field of a hash, in no order; stops at the first that is not OK. Views for the call. */
typedef enum status (*incident_store_pair_fn)(void *context, struct text field, struct text value);
NODISCARD enum status incident_store_read_hash(struct incident_store *store, struct text key,
                                               incident_store_pair_fn take, void *context,
                                               struct error *err);
