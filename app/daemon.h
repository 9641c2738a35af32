/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/account.h"
#include "app/backlog.h"
#include "app/command.h"
#include "app/config.h"
#include "app/pipeline.h"
#include "app/pressure.h"
#include "app/reload.h"
#include "base/mailbox.h"
#include "base/path.h"
#include "console/console.h"
#include "incidents/incidents.h"
#include "ingest/ingest.h"
#include "journal/journal.h"
#include "rules/rules.h"
#include "sinks/sinks.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The running program: what its threads share. Private to run.c and the files that each own a part:
 *
 *   inputs.c      sources and webhooks -> batches                   (sources' and console's
 * threads) writer.c      batches -> journal -> barrier -> pipeline         (the journal's thread)
 *   backlog.c     journal -> pipeline, when the workers are behind  (the journal's thread)
 *   decider.c     decided batches -> incidents -> sinks             (the pipeline's decider)
 *   checkpoint.c  state -> Redis and back                           (the decider, and the start)
 *   reload.c      files -> rulesets                                 (the main thread and console's)
 *   account.c, overview.c                                           (whoever asks for the numbers)
 */
struct daemon;

/* ---- writer.c ---- */

struct writer {
    pthread_t thread;
    struct mailbox inbox; /* batches of sources */
    struct journal *journal;
    struct repeats *repeats;
    _Atomic(struct ruleset *) next; /* to be swapped in at the next batch boundary */
    _Atomic uint64_t dropped;       /* records refused by a full disk under `drop` */
    _Atomic bool is_disk_full;
    bool is_started;
};
NODISCARD enum status writer_start(struct daemon *d, struct error *err);
/* Journals and sends on what sources left, then ends. */
void writer_stop(struct daemon *d);

/* ---- decider.c ---- */

struct decider {
    struct incidents *incidents;
    struct parser *parser; /* alerts are read once more here */
    struct event event;
    struct arena arena;
    struct mailbox outcomes; /* of sinks */
    struct mailbox commands; /* of console */
    struct command_output detections;
    bool has_detections;
    struct buffer generation;  /* of learned confidences, as last journaled */
    uint64_t generation_ms;    /* when that was looked at */
    _Atomic bool must_stop;    /* another tocsin writes to this Redis now */
    _Atomic bool has_skipped;  /* at a stop without Redis: what follows may not be committed */
    _Atomic bool must_restart; /* Redis lost what it had acknowledged */
    struct journal_reader *evidence; /* opened when first needed */
    int64_t journal_us;              /* of the last batch */
};
/* The pipeline's callbacks. */
void decider_decided(void *daemon, const struct pipeline_result *result);
void decider_idle(void *daemon);
/* Sends what is left; for the stop, behind the decider's end. AGAIN: some effects are still out. */
NODISCARD enum status decider_drain(struct daemon *d);
/* From any thread: runs one command on the decider's thread and waits for its answer. */
int decider_command(void *daemon, struct text command, struct buffer *reply);
/* Sinks' outcomes. Any thread. */
void decider_settle(void *daemon, struct outcome *o);

/* ---- checkpoint.c ---- */

struct checkpoint {
    struct buffer chunks; /* names of live chunks, one a line */
    _Atomic size_t whole_bytes, delta_bytes;
    uint64_t serial; /* of the next chunk's name */
    _Atomic bool must_be_whole;
    _Atomic uint64_t last_start_ms, last_length_ms;
    _Atomic uint64_t position; /* of the last committed cut */
    _Atomic uint64_t count, bytes;
    struct hash128 ruleset; /* that decided up to the last commit; under ruleset_lock */
};
void checkpoint_take(void *daemon, const struct pipeline_checkpoint *c);
/* Asks for one when it is time. */
void checkpoint_poll(struct daemon *d, uint64_t now_ms);
/* Loads the last commit into the pipeline; *out_position is what the journal is read on from. */
NODISCARD enum status checkpoint_restore(struct daemon *d, uint64_t *out_position,
                                         struct error *err);
/* Before the pipeline is made: the hash of the rules of the last commit. NOTFOUND: none. */
NODISCARD enum status checkpoint_ruleset(struct daemon *d, struct hash128 *out);

/* ---- inputs.c ---- */

enum { DOORS_SOURCES = 64 };
struct inputs {
    struct source *sources[DOORS_SOURCES];
    uint32_t source_count;
    struct webhooks *webhooks;
    struct webhook_port *remote; /* webhooks.listen; NULL: none */
    struct keyring *keys;
    struct drops *drops; /* who lost what, over all doors */
};
NODISCARD enum status inputs_open(struct daemon *d, struct error *err);
NODISCARD enum status inputs_start(struct daemon *d, struct error *err);
/* The webhooks' own port, as the last of all doors. */
NODISCARD enum status inputs_start_remote(struct daemon *d, struct error *err);
void inputs_stop(struct daemon *d);
/* A ready line each, in the order of the configuration; then the webhooks' port, if there is one.
 */
void inputs_say_ready(const struct daemon *d);
void inputs_say_remote_ready(const struct daemon *d);
/* When the console is gone, which tells its numbers. */
void inputs_stop_remote(struct daemon *d);
void inputs_close(struct daemon *d);
/* Console's webhook call. */
bool inputs_admit(void *daemon, const struct console_request *head, uint64_t *out_max_body,
                  struct console_reply *reply);
bool inputs_webhook(void *daemon, const struct console_request *request,
                    struct console_reply *reply);

/* ---- overview.c: what console shows of the program; any thread ---- */

void overview_metrics(void *daemon, metric_fn tell, void *context);
void overview_rules(void *daemon, struct view *view, struct buffer *out);
void overview_sources(void *daemon, struct buffer *out);
bool overview_is_ready(void *daemon, struct buffer *why);

/* ---- run.c ---- */

struct daemon {
    struct config *config;
    const char *config_path, *data_path; /* as said on the command line, for reloads */
    struct redis_server *redis;
    struct pipeline *pipeline;
    struct writer writer;
    struct backlog backlog;
    struct account account;
    struct pressure pressure;
    struct decider decider;
    struct checkpoint checkpoint;
    struct inputs inputs;
    struct sinks *sinks;
    struct console *console;
    pthread_mutex_t ruleset_lock; /* guards `ruleset` between reloads and console's reads */
    struct ruleset *ruleset;      /* the newest; one reference */
    struct ruleset *catch_up;     /* the one that decides the journal's tail; one reference */
    struct reload reload;
    _Atomic bool is_ready, is_stopping;
    char journal_dir[PATH_ROOM], rulesets_dir[PATH_ROOM];
};
