/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/detection.h"
#include "base/error.h"
#include "base/event.h"
#include "base/mailbox.h"
#include "base/metric.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What correlator, sinks and console share: scores, candidates, incidents, their
 * lifecycle, the ledger, the outbox and the metrics. Owns every Redis key of the program.
 */

/* ---- the private redis-server ---- */

struct redis_server;
/*
 * Starts redis-server on a unix socket below `dir` (appendfsync always, no TCP), owned by this
 * process, and watches over it from a thread of its own: one that dies or is deaf for 10 s is
 * killed and started anew. NOTFOUND where redis-server is not installed: the text says what to do.
 */
NODISCARD enum status redis_server_start(const char *dir, struct redis_server **out,
                                         struct error *err);
/* SHUTDOWN, then TERM, then KILL. */
void redis_server_stop(struct redis_server *s);
static inline void redis_server_free(struct redis_server *s)
{
    redis_server_stop(s);
}
AUTO_DEFINE(redis_server);
const char *redis_server_socket(const struct redis_server *s);
void redis_server_metrics(const struct redis_server *s, metric_fn tell, void *context);

/* ---- deliveries ---- */

/* What happened that somebody may want to be told of. Views for the call. */
enum notice_kind {
    NOTICE_OPENED,
    NOTICE_RAISED,   /* priority rose */
    NOTICE_RECURRED, /* after 24 h of quiet */
    NOTICE_ACKNOWLEDGED,
    NOTICE_RESOLVED,
    NOTICE_CLOSED,
    NOTICE_REOPENED,
    NOTICE_STORM,
    NOTICE_DIGEST,
};
const char *incidents_notice_name(enum notice_kind kind); /* "opened" ... */

struct notice {
    enum notice_kind kind;
    struct text incident; /* id, or empty for storm and digest */
    int priority;         /* 1..5 */
    struct text category; /* "security", "availability", ... */
    struct text document; /* the incident as JSON, the shape of GET /api/v1/incidents/ID */
};

enum { DELIVERY_DESTINATIONS = 32 };

/* One entry of the outbox for one destination; a heap block, owned by who holds it. */
struct delivery {
    struct mail mail;
    struct text id;          /* "dlv_...": the idempotency key towards the destination */
    struct text destination; /* the sink's name */
    struct text incident;
    struct text document;
    struct text settled; /* recipients that have their outcome, a line each: not to be told again */
    uint64_t settled_mask; /* the same since it was given, by the sink's own numbers */
    enum notice_kind kind;
    int priority;
    uint32_t attempts;     /* made so far, also before a restart */
    bool may_be_duplicate; /* it was in flight when the program died */
    int64_t due_us;        /* not before */
    int64_t queued_us;
};
void delivery_free(struct delivery *d);
AUTO_DEFINE(delivery);

enum delivery_state {
    DELIVERY_QUEUED,
    DELIVERY_SENDING,
    DELIVERY_ACCEPTED,
    DELIVERY_DELIVERED,
    DELIVERY_FAILED_TEMP,
    DELIVERY_FAILED_PERM,
    DELIVERY_UNKNOWN,
    DELIVERY_SUPPRESSED,
    DELIVERY_EXPIRED,
};
const char *delivery_state_name(enum delivery_state state);

/* What came of one attempt; a heap block, sent from the sink to the decider thread. */
struct outcome {
    struct mail mail;
    struct text delivery, destination, incident;
    struct text recipient; /* whose outcome it is, where a destination has several; else empty */
    bool is_part;          /* others of this delivery have none yet: it does not end with this */
    enum delivery_state state;
    uint32_t attempt; /* from 1 */
    int http_status;  /* 0: none */
    int64_t started_us;
    int64_t latency_us;
    int64_t next_us;    /* FAILED_TEMP: the next attempt */
    struct text detail; /* the provider's id, or why it failed; secrets redacted */
};
/* Copies the texts into one block. NULL without memory. */
struct outcome *outcome_new(const struct outcome *from);
void outcome_free(struct outcome *o);
AUTO_DEFINE(outcome);

/* ---- deciding: one thread, the decider ---- */

struct incidents;
struct incidents_options {
    const char *socket;   /* unix socket of Redis, or NULL */
    const char *url;      /* redis://host:port/db, or NULL; both NULL: in memory, for replay */
    double threshold;     /* an incident from this score on, 65 */
    int64_t half_life_us; /* 24 h */
    const char *entities; /* entities.yml, or NULL */
    uint32_t max_pending; /* effects held while Redis is away; FULL beyond */
    /* Names the destinations of a notice (at most DELIVERY_DESTINATIONS); may be NULL: none. */
    uint32_t (*route)(void *context, const struct notice *n, struct text *out_destinations);
    /* Whether any route leads notices of that kind there: who was told of an incident is told of
     * its end, unless nobody asked for ends. NULL: it does. */
    bool (*wants)(void *context, struct text destination, enum notice_kind kind);
    /* How many deliveries that destination takes now: more are not given. NULL: any number. */
    uint32_t (*room)(void *context, struct text destination);
    /* The raw line at a position, for evidence, into `arena`; false once it is gone. */
    bool (*fetch)(void *context, uint64_t position, struct arena *arena, struct text *out);
    void *context;
};
NODISCARD enum status incidents_open(const struct incidents_options *options,
                                     struct incidents **out, struct error *err);
void incidents_close(struct incidents *i);
static inline void incidents_free(struct incidents *i)
{
    incidents_close(i);
}
AUTO_DEFINE(incidents);

/*
 * Decides what a detection does, at its journal time, and sends the effect. Detections come in
 * output order; one whose id was applied changes nothing. While Redis is away effects wait, up to
 * max_pending: FULL takes nothing, try again after incidents_poll. Copies what it keeps.
 */
NODISCARD enum status incidents_detect(struct incidents *i, const struct detection *d);
/* An alert of a monitoring system (record kind ALERT, parsed): a state, not a log line. */
NODISCARD enum status incidents_alert(struct incidents *i, const struct event *alert);
/* Moves journal time on: fades candidates, confirms warnings that kept firing, ... */
NODISCARD enum status incidents_tick(struct incidents *i, int64_t journal_us);
/* Sends what waits and reads answers for up to `timeout_ms`; OK when Redis acknowledged every
 * effect so far, AGAIN when some are still out. Reconnects by itself. */
NODISCARD enum status incidents_poll(struct incidents *i, uint64_t timeout_ms);
/* Whether what is decided becomes durable. Any thread. `*out_for_ms` (may be NULL): for how long it
 * is so. */
enum incidents_health {
    INCIDENTS_WELL,
    INCIDENTS_AWAY,     /* no connection to Redis: effects wait */
    INCIDENTS_SILENT,   /* asked, it does not answer: effects wait */
    INCIDENTS_REFUSING, /* it refuses to write: effects wait */
    INCIDENTS_FULL,     /* at its memory limit: detections wait, closing goes on */
    INCIDENTS_STUCK,    /* no more effects may wait: detections wait */
    INCIDENTS_FENCED,   /* another program took over: this one stops */
};
enum incidents_health incidents_health(const struct incidents *i, uint64_t *out_for_ms);
/* One sentence, also what to do. */
const char *incidents_health_words(enum incidents_health health);
/* Whether a sender that can come again should: what it sends now would be decided late. */
bool incidents_must_turn_away(const struct incidents *i);
/* The ledger's head as of the last effect that is durable: of what a verification must find. Any
 * thread. */
struct incidents_head {
    uint64_t sequence; /* 0: none */
    char hash[65];     /* hex */
};
void incidents_head(const struct incidents *i, struct incidents_head *out);
/* True once after Redis lost acknowledged effects (roll-back): treat it as a crash of our own. */
bool incidents_has_rolled_back(struct incidents *i);

/* A person's or program's word on an incident: one command as JSON ({"do":"ack","incident":ID,
 * "by":..., "note":...}); the answer (the incident, or {"error":...}) goes to `reply`. Returns the
 * HTTP status to answer with: below 300 it is durable; 503 where it is not, or not known to be. A
 * report is answered with 201. */
int incidents_command(struct incidents *i, struct text command, int64_t now_us,
                      struct buffer *reply);

/* What people said of each rule's incidents so far: the JSON of a confidence generation. */
void incidents_verdicts(const struct incidents *i, struct buffer *out);
/* From here on that generation counts (record kind CONFIDENCE): a rule's confidence is weighed with
 * it. SYNTAX, INVALID. */
NODISCARD enum status incidents_learn(struct incidents *i, struct text generation);

/* The next delivery that is due, each once per start (those unsettled at a crash come again with
 * may_be_duplicate), or NULL. Gives it. */
struct delivery *incidents_next_delivery(struct incidents *i, int64_t now_us);
/* Records an attempt: state, ledger. DELIVERY_QUEUED says that no sink took it: nothing is
 * recorded, and it is given again as the first of its destination, once another of it is settled,
 * or from next_us on. NOTFOUND: it ended before. */
NODISCARD enum status incidents_settle(struct incidents *i, const struct outcome *o);

/* Small named values for app: checkpoints. `key` is short text; one commit replaces all given
 * values in one step. CONFLICT after a roll-back, until the record is opened anew: what was decided
 * before it must be decided again. */
NODISCARD enum status incidents_put_state(struct incidents *i, struct text key, struct text value);
NODISCARD enum status incidents_commit_state(struct incidents *i, struct text commit);
NODISCARD enum status incidents_get_state(struct incidents *i, struct text key, struct buffer *out);

void incidents_metrics(const struct incidents *i, metric_fn tell, void *context);
/* Memory store only: every incident and candidate as a JSON line, sorted by id. */
void incidents_write_all(const struct incidents *i, struct buffer *out);

/* ---- reading: any one thread per view, a connection of its own ---- */

struct view;
NODISCARD enum status view_open(const struct incidents_options *options, struct view **out,
                                struct error *err);
void view_close(struct view *v);
static inline void view_free(struct view *v)
{
    view_close(v);
}
AUTO_DEFINE(view);

/* Whether the record could be asked for by that URL: nothing is asked. */
NODISCARD enum status incidents_check_url(const char *url, struct error *err);
/* Reads an entities.yml as incidents_open does: how many entries, or what is wrong, with its line.
 */
NODISCARD enum status incidents_check_entities(const char *path, uint32_t *out_count,
                                               struct error *err);

struct incident_filter {
    struct text state;          /* empty or "any": any; "open" matches every state before closed */
    struct text kind;           /* empty or "incident"; "candidate", "any" */
    int64_t since_us, until_us; /* opened in between; TIMESTAMP_NONE: no bound */
    uint32_t limit;             /* at most, newest first; 0: 100 */
    struct text after;          /* `next` of the page before: a time and who had it */
};
/* {"incidents":[...],"next":CURSOR?}. INVALID: no such state, kind or cursor. What changes
 * meanwhile does not move the page. */
NODISCARD enum status view_incidents(struct view *v, const struct incident_filter *f,
                                     struct buffer *out, struct error *err);
/* One whole: contributions, evidence, timeline, deliveries. Of the timeline the last 1,000 entries
 * before number `before` (0: all of it): "timeline_from" is the first one's number, from 1, and
 * "timeline_total" how many there are. NOTFOUND. */
NODISCARD enum status view_incident(struct view *v, struct text id, uint64_t before,
                                    struct buffer *out, struct error *err);
/* Response times by priority, rule or team: n, open, median, p90, never a bare mean. */
NODISCARD enum status view_report(struct view *v, int64_t since_us, int64_t until_us,
                                  struct text by, int64_t now_us, struct buffer *out,
                                  struct error *err);
/* What people said of the incidents of each rule so far: true and false positives. */
typedef void (*verdict_fn)(void *context, struct text rule, int64_t right, int64_t wrong);
NODISCARD enum status view_verdicts(struct view *v, verdict_fn tell, void *context,
                                    struct error *err);
/* Walks the ledger: {"records":N,"ok":true} or the first bad record, and why; the end of it is
 * compared with `live` (NULL: not known) and with what Redis says was added. */
NODISCARD enum status view_verify(struct view *v, const struct incidents_head *live,
                                  struct buffer *out, struct error *err);
/* {"exceptions":[...]}: who is not charged for what, until when, left by which incident. */
NODISCARD enum status view_exceptions(struct view *v, int64_t now_us, struct buffer *out,
                                      struct error *err);
/* Open items for the handover between shifts. */
NODISCARD enum status view_handover(struct view *v, int64_t now_us, struct buffer *out,
                                    struct error *err);
