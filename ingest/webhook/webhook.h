/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "ingest/ingest.h"
#include "ingest/webhook/json_tree.h"
#include <stdatomic.h>

/*
 * What the receivers of every monitoring system's webhook share: the one shape that their alerts
 * become, and the table through which a system plugs in.
 *
 * An alert is one record of kind RECORD_ALERT, format JSON, whose raw bytes are one object. Members
 * that are empty are left out, but for the first six, which are always there:
 *
 *   integration  "alertmanager", "alertmanager-api", "grafana", "pagerduty", "opsgenie",
 *                "cloudevents", "alert"
 *   key          the alert's identity within the integration: what its resolve names again
 *   group        the incident's identity within the integration: alerts of one group are its
 *                members. Equal to key where the sender has no groups
 *   status       "firing", "acknowledged", "resolved"
 *   severity     "critical", "error", "warning", "info", or "" where the sender says none
 *   is_heartbeat true: an alert that always fires, whose absence is the alarm (Watchdog)
 *   title        one line: summary annotation, alert name, PagerDuty's summary, ...
 *   description  more of it
 *   source       what raised it, as the sender names it: job, source, client
 *   host         the machine it is about, without port, where that is known
 *   service      component or service label
 *   name         alertname, class, type: what kind of alert this is
 *   starts_at    RFC 3339, UTC, microseconds: when the condition began (never year 1)
 *   ends_at      resolved: when it ended
 *   expires_at   firing: when nothing newer came until then, it counts as resolved (API v2 only)
 *   url          where the sender shows it
 *   receiver     Alertmanager's receiver, PagerDuty's routing key as a hash
 *   truncated    number of alerts of this group that the sender left out: a missing alert is not
 *                a resolved one
 *   labels       object of strings, as sent
 *   annotations  object of strings, as sent
 *   details      object, as sent: custom_details, data, extra properties
 *
 * record.origin is the sender's identity of this message ("cloudevents:<source>:<id>",
 * "idempotency:<key>:<n>"): a repetition within 10 minutes is the same message. Alerts have none
 * but that of the header: two equal bodies may be two outages with a resolve between them, and what
 * is said twice of a state changes nothing. Heartbeats have none at all.
 *
 * Other events (the plain endpoint, CloudEvents that are no alerts, PagerDuty's change events) are
 * RECORD_EVENT with the sender's own JSON; change events carry "integration":"pagerduty-change".
 */
enum webhook_status { WEBHOOK_FIRING, WEBHOOK_ACKNOWLEDGED, WEBHOOK_RESOLVED };

struct webhook_alert {
    struct text integration, key, group;
    enum webhook_status status;
    struct text severity; /* already one of ours, or empty */
    bool is_heartbeat;
    struct text title, description, source, host, service, name, url, receiver;
    int64_t starts_us, ends_us, expires_us; /* TIMESTAMP_NONE: not said */
    int64_t truncated;
    const struct json_node *labels, *annotations, *details; /* NULL: none */
};

/* Why a part of a request is no alert. It is kept whole, as an event. */
enum webhook_unread {
    WEBHOOK_NO_OBJECT, /* a string, a number, null */
    WEBHOOK_NO_LABELS,
    WEBHOOK_NO_KEY, /* nothing that names it, or labels that are no strings */
    WEBHOOK_BAD_TIMES,
    WEBHOOK_UNREAD,
};

/* Most records of one request: shippers send some thousands, and real events have a hundred bytes.
 */
enum { WEBHOOK_RECORDS = 65536 };

enum webhook_style {
    WEBHOOK_PLAIN,        /* 503 under load: Alertmanager, Grafana, CloudEvents, ours */
    WEBHOOK_PAGERDUTY_V2, /* 429 with its body */
    WEBHOOK_PAGERDUTY_V1, /* 403 */
    WEBHOOK_OPSGENIE,     /* 429 with its body */
    WEBHOOK_SPLUNK,       /* 503 with code 9 */
    WEBHOOK_OTLP,         /* 503 with a Status */
    WEBHOOK_ELASTIC,      /* 429 with an exception */
};

/* The plain endpoint's mapping: `ours` is filled from `theirs` (a dotted path). */
enum { WEBHOOK_FIELDS = 32 };
struct webhook_field {
    struct text ours, theirs;
};

/* Of one integration. Relaxed: numbers for people. */
struct webhook_counts {
    _Atomic uint64_t requests, alerts, events, rejected, refused, dropped;
    _Atomic uint64_t unread[WEBHOOK_UNREAD];
};

/* One request while it is read. The reply is prepared for "stored"; `stored` says whether it must
 * wait for that. */
struct webhook_call {
    struct webhooks *webhooks;
    struct webhook_counts *counts; /* of its integration; NULL: no webhook is there */
    const struct webhook_field *fields;
    uint32_t field_count;
    const struct webhook_request *request;
    struct text key_id;  /* of the key that let it in; empty: none was asked for */
    struct text segment; /* what '*' stood for in the route's path */
    struct json_tree *tree;
    uint64_t tree_bytes;          /* held for it */
    const struct json_node *body; /* NULL where the route reads the bytes itself */
    struct batch *out;
    struct webhook_reply *reply;
    struct buffer scratch; /* the record being written */
    int64_t now_us;
    uint32_t index;   /* of the record in its request: for Idempotency-Key */
    uint32_t tried;   /* records of a trial */
    uint32_t line;    /* the one that is read, where the body is lines */
    uint32_t refused; /* alerts that found no room */
    uint32_t unread[WEBHOOK_UNREAD];
    uint64_t written_bytes, most_written_bytes; /* of records that repeat what their group says */
    bool is_trial;                              /* nothing is added: would all of it be? */
    bool is_whole;       /* all of the request or nothing: no flush before a trial */
    bool is_barred;      /* answered so for its address */
    bool is_overloaded;  /* answered so: it was no fault of the sender's */
    struct arena *arena; /* of the call: for texts that are put together */
};

/* Where requests of a system arrive. */
struct webhook_route {
    const char *method; /* "POST", "POST PUT" */
    const char *path;   /* one '*' stands for any bytes */
    enum webhook_style style;
    bool is_json; /* the body is read as JSON first; 400 where it is none */
    /* Adds records, sets the reply. */
    void (*take)(struct webhook_call *call);
};

struct webhook_type {
    const char *name; /* the integration, as metrics name it */
    const struct webhook_route *routes;
    uint32_t route_count;
};

/* Adds one alert to the call's batch. False where there is no room: counted. */
bool webhook_add_alert(struct webhook_call *call, const struct webhook_alert *alert);
/* Adds one event with the sender's bytes. */
bool webhook_add_event(struct webhook_call *call, struct text raw, enum format format,
                       struct text origin);
/* The name by which a member of the body, at its outermost level, opens and resolves: a string, or
 * a number or a boolean as it is written. Empty: none, null. False: an object or an array. */
bool webhook_label(struct webhook_call *call, const char *name, struct text *out);
/* Keeps what is no alert: its JSON as one event, counted by reason. */
void webhook_add_unread(struct webhook_call *call, const struct json_node *part,
                        enum webhook_unread why);
/*
 * Runs `add` for a request of which all is taken or nothing. Where it is more than a batch holds,
 * `add` runs three times: into the batch, to try the rest, then for good. False: nothing was added,
 * for `add` said so, or call->refused is not 0 (too many), or the call is overloaded.
 */
bool webhook_add_whole(struct webhook_call *call, bool (*add)(struct webhook_call *call));
/* What stands in the batch is counted as taken. */
void webhook_count(struct webhook_call *call);
/* Takes from the budget; false: too much at once, the call is overloaded. */
bool webhook_hold(struct webhook_call *call, uint64_t bytes);
void webhook_release(struct webhook_call *call, uint64_t bytes);
/* json_tree_parse within the budget: `*out_held` is to be released with the tree. FULL, or NOMEM:
 * the call is overloaded. */
NODISCARD enum status webhook_parse(struct webhook_call *call, struct text source,
                                    struct json_tree **out, uint64_t *out_held, struct error *err);
/* What a document that is not read is answered with: 413 beyond a limit, else `status`. */
int webhook_parse_status(enum status why, int status);
/* In words: more than one request may hold. */
const char *webhook_too_many(const struct webhook_call *call);
/* The reply's status and JSON body. */
void webhook_answer(struct webhook_call *call, int status, struct text json);
/* 400 (or `status`) in the words of the route's style, with one sentence. */
void webhook_reject(struct webhook_call *call, enum webhook_style style, int status,
                    const char *why);
/* A sender's word for severity as one of ours, or empty. */
struct text webhook_severity(struct text word);
/* "host:9100" -> "host", "http://host:80/x" -> "host", "[::1]:9100" -> "::1"; what is no host name
 * and no address: nothing. */
struct text webhook_host(struct text instance);
/* RFC 3339 of a member, or TIMESTAMP_NONE; year 1 is none. */
int64_t webhook_time(const struct json_node *parent, const char *name);
/* a, separator, b in the call's arena. */
struct text webhook_join(struct webhook_call *call, struct text a, const char *separator,
                         struct text b);
/* A parameter of the query, %XX undone; empty: none. */
struct text webhook_query(struct webhook_call *call, const char *name);
/* %XX undone; a percent sign that is none of these stays. */
struct text webhook_decode(struct arena *arena, struct text t);
/* A fresh random UUID (version 4). */
struct text webhook_uuid(struct webhook_call *call);
/* 16 hex digits that stand for a secret or a long text. */
struct text webhook_digest(struct webhook_call *call, struct text t);
