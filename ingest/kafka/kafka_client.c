/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/kafka/kafka_client.h"
#include "base/log.h"
#include "base/timestamp.h"
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALL_MS = 5000, REASON_LEN = 160, CUT_BYTES = 64 * 1024, CLOSE_S = 3 };

struct kafka_client {
    rd_kafka_t *consumer, *producer; /* producer: NULL without dead letters */
    rd_kafka_topic_partition_list_t *topics;
    struct kafka_events events;
    char *dead_letter;
    bool is_paused, is_subscribed, is_closing;
    bool has_refused; /* a dead letter was not taken since the last flush */
    bool must_cut;    /* its topic takes only shorter ones */
};

/* ---- configuration ---- */

/* Ours unless the configuration says otherwise. */
static const char *const defaults[][2] = {
    {"client.id", "tocsin"},
    {"auto.offset.reset", "earliest"}, /* librdkafka's "latest" loses what came before the start */
    {"partition.assignment.strategy", "range"},
};

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, char *reason)
{
    return rd_kafka_conf_set(conf, name, value, reason, REASON_LEN) == RD_KAFKA_CONF_OK;
}

static enum status refuse_property(const struct yaml_node *at, const char *why, struct error *err)
{
    enum status status = error_set(err, STATUS_INVALID, at->line, "%s", why);
    if (err)
        err->column = at->column;
    return status;
}

static enum status set_property(rd_kafka_conf_t *conf, const struct yaml_pair *pair,
                                struct error *err)
{
    char name[128];
    char value[4096];
    char reason[REASON_LEN] = "a property's value is text or a number";
    struct text n = pair->key->value;
    struct text v = pair->value->value;
    if (pair->value->kind != YAML_SCALAR || n.len >= sizeof name || v.len >= sizeof value)
        return refuse_property(pair->key, reason, err);
    (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(n));
    (void)snprintf(value, sizeof value, "%.*s", TEXT_ARG(v));
    if (strcmp(name, "enable.auto.offset.store") == 0 && strcmp(value, "false") != 0)
        return refuse_property(
            pair->key, "enable.auto.offset.store stays false: offsets follow the journal", err);
    if (strcmp(name, "partition.assignment.strategy") == 0 && strstr(value, "cooperative"))
        return refuse_property(pair->key,
                               "partition.assignment.strategy: range or roundrobin; librdkafka "
                               "below 2.10 loses its assignment with cooperative-sticky",
                               err);
    if (!set(conf, name, value, reason))
        return refuse_property(pair->key, reason, err);
    return STATUS_OK;
}

static enum status set_properties(rd_kafka_conf_t *conf, const struct yaml_node *node,
                                  struct error *err)
{
    char reason[REASON_LEN];
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults && !status; i++)
        if (!set(conf, defaults[i][0], defaults[i][1], reason))
            status = error_set(err, STATUS_INVALID, 0, "%s", reason);
    for (uint32_t i = 0; node && node->kind == YAML_MAPPING && i < node->count && !status; i++)
        status = set_property(conf, &node->pairs[i], err);
    if (!status && (!set(conf, "enable.auto.offset.store", "false", reason) ||
                    !set(conf, "enable.partition.eof", "false", reason)))
        status = error_set(err, STATUS_INVALID, 0, "%s", reason);
    return status;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    log_line(level <= 3 ? LOG_WARNING : LOG_DEBUG, "kafka: %s: %s", facility, text);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)opaque;
    char fatal[REASON_LEN] = "";
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        (void)rd_kafka_fatal_error(rk, fatal, sizeof fatal);
    enum log_level level = code == RD_KAFKA_RESP_ERR__FATAL       ? LOG_ERROR
                           : code == RD_KAFKA_RESP_ERR__TRANSPORT ? LOG_DEBUG /* on_log has it */
                                                                  : LOG_WARNING;
    log_line(level, "kafka: %s: %s %s", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason,
             fatal);
}

/* ---- rebalance ---- */

struct places {
    struct kafka_place *items;
    uint32_t count;
};

static struct places places_of(const rd_kafka_topic_partition_list_t *list)
{
    struct places p = {.count = (uint32_t)list->cnt};
    p.items = calloc(p.count ? p.count : 1, sizeof *p.items);
    if (!p.items)
        p.count = 0;
    for (uint32_t i = 0; i < p.count; i++)
        p.items[i] = (struct kafka_place){list->elems[i].topic, list->elems[i].partition,
                                          list->elems[i].offset};
    return p;
}

static void assign(struct kafka_client *c, rd_kafka_topic_partition_list_t *list)
{
    if (rd_kafka_committed(c->consumer, list, CALL_MS)) /* then librdkafka asks once more */
        for (int i = 0; i < list->cnt; i++)
            list->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
    struct places p = places_of(list);
    c->events.assigned(c->events.context, p.items, p.count);
    free(p.items);
    c->is_paused = false;
    rd_kafka_resp_err_t code = rd_kafka_assign(c->consumer, list);
    if (code)
        log_line(LOG_ERROR, "kafka: cannot take partitions: %s", rd_kafka_err2str(code));
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                      rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
    (void)rk, (void)offsets;
    rd_kafka_resp_err_t *out = opaque;
    *out = code;
}

/* Commits now what was stored; waits up to 5 s for the answer. */
static void commit(struct kafka_client *c)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    rd_kafka_queue_t *answers = rd_kafka_queue_new(c->consumer);
    rd_kafka_resp_err_t refused =
        rd_kafka_commit_queue(c->consumer, NULL, answers, on_commit, &code);
    if (refused)
        code = refused;
    else
        (void)rd_kafka_queue_poll_callback(answers,
                                           CALL_MS); /* on_commit is called here or never */
    rd_kafka_queue_destroy(answers);
    if (code && code != RD_KAFKA_RESP_ERR__NO_OFFSET)
        log_line(LOG_WARNING, "kafka: offsets not committed, their records will come again: %s",
                 rd_kafka_err2str(code));
}

static void revoke(struct kafka_client *c, const rd_kafka_topic_partition_list_t *list)
{
    bool is_lost = rd_kafka_assignment_lost(c->consumer);
    struct places p = places_of(list);
    c->events.revoked(c->events.context, p.items, p.count, is_lost);
    free(p.items);
    if (!is_lost)
        commit(c);
    kafka_client_resume(c); /* a pause outlives its assignment */
    (void)rd_kafka_assign(c->consumer, NULL);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_client *c = opaque;
    if (c->is_closing)
        (void)rd_kafka_assign(rk, NULL);
    else if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        assign(c, list);
    else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        revoke(c, list);
    else
        (void)rd_kafka_assign(rk, NULL);
}

/* ---- life ---- */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct kafka_client *c = opaque;
    if (!m->err)
        return;
    c->has_refused = true;
    c->must_cut |= m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    log_line(LOG_ERROR, "kafka: a dead letter was refused: %s", rd_kafka_err2str(m->err));
}

static enum status make(struct kafka_client *c, rd_kafka_type_t type, const struct yaml_node *node,
                        rd_kafka_t **out, struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum status status = set_properties(conf, node, err);
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (type == RD_KAFKA_CONSUMER)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    else
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    char reason[REASON_LEN];
    *out = status ? NULL : rd_kafka_new(type, conf, reason, sizeof reason);
    if (*out)
        return STATUS_OK; /* has taken conf */
    rd_kafka_conf_destroy(conf);
    return status ? status : error_set(err, STATUS_INVALID, node ? node->line : 0, "%s", reason);
}

static bool add_topics(struct kafka_client *c, const struct option_texts *topics)
{
    c->topics = rd_kafka_topic_partition_list_new((int)topics->count);
    for (uint32_t i = 0; i < topics->count; i++) {
        char *name = strndup(topics->items[i].at, topics->items[i].len);
        if (!name)
            return false;
        (void)rd_kafka_topic_partition_list_add(c->topics, name, RD_KAFKA_PARTITION_UA);
        free(name);
    }
    return true;
}

static enum status check(const struct kafka_client *c, const struct kafka_setup *setup,
                         struct error *err)
{
    uint32_t line = setup->properties ? setup->properties->line : 0;
    char value[256];
    kafka_client_property(c, "bootstrap.servers", value, sizeof value);
    if (value[0] == '\0')
        return error_set(err, STATUS_INVALID, line, "properties lacks bootstrap.servers");
    kafka_client_property(c, "group.id", value, sizeof value);
    if (value[0] == '\0')
        return error_set(err, STATUS_INVALID, line, "properties lacks group.id");
    return STATUS_OK;
}

enum status kafka_client_open(const struct kafka_setup *setup, struct kafka_client **out,
                              struct error *err)
{
    AUTO(kafka_client) c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a Kafka client");
    c->events = setup->events;
    if (setup->properties && setup->properties->kind != YAML_MAPPING)
        return refuse_property(setup->properties, "properties is a mapping of names to values",
                               err);
    enum status status = make(c, RD_KAFKA_CONSUMER, setup->properties, &c->consumer, err);
    if (!status)
        status = check(c, setup, err);
    if (!status && !add_topics(c, &setup->topics))
        status = error_set(err, STATUS_NOMEM, 0, "no memory for topics");
    if (!status && setup->dead_letter.len) {
        c->dead_letter = strndup(setup->dead_letter.at, setup->dead_letter.len);
        status = c->dead_letter ? make(c, RD_KAFKA_PRODUCER, setup->properties, &c->producer, err)
                                : error_set(err, STATUS_NOMEM, 0, "no memory for a topic");
    }
    if (!status) {
        (void)rd_kafka_poll_set_consumer(c->consumer);
        *out = MOVE(c);
    }
    return status;
}

static void *finish(void *client)
{
    struct kafka_client *c = client;
    if (c->consumer && c->is_subscribed)
        (void)rd_kafka_consumer_close(c->consumer);
    if (c->topics)
        rd_kafka_topic_partition_list_destroy(c->topics);
    if (c->consumer)
        rd_kafka_destroy_flags(c->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (c->producer)
        rd_kafka_destroy(c->producer);
    free(c->dead_letter);
    free(c);
    return NULL;
}

/*
 * librdkafka waits for a coordinator that is not there for most of a minute, and 2.0.2 waits for
 * ever once a partition was lost or its topic deleted (fixed in 2.1.0, its issue 4187). So it ends
 * on a thread of its own, which is left alone after a while: what is durable was committed before.
 */
void kafka_client_close(struct kafka_client *c)
{
    if (!c)
        return;
    if (c->is_subscribed)
        commit(c);
    c->is_closing = true; /* the thread's creation orders it before its callbacks */
    pthread_t thread;
    struct timespec until;
    if (pthread_create(&thread, NULL, finish, c))
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_S;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until))
        (void)pthread_detach(thread);
}

enum status kafka_client_subscribe(struct kafka_client *c, struct error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->consumer, c->topics);
    c->is_subscribed = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    return code ? error_set(err, STATUS_INVALID, 0, "cannot subscribe: %s", rd_kafka_err2str(code))
                : STATUS_OK;
}

void kafka_client_property(const struct kafka_client *c, const char *name, char *out, size_t size)
{
    size_t room = size;
    out[0] = '\0';
    if (rd_kafka_conf_get(rd_kafka_conf(c->consumer), name, out, &room) != RD_KAFKA_CONF_OK)
        out[0] = '\0';
}

/* ---- reading ---- */

enum status kafka_client_poll(struct kafka_client *c, int timeout_ms, struct kafka_message *out)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(c->consumer, timeout_ms);
    if (!m)
        return STATUS_AGAIN;
    if (m->err) {
        log_line(LOG_WARNING, "kafka: %s", rd_kafka_message_errstr(m));
        rd_kafka_message_destroy(m);
        return STATUS_AGAIN;
    }
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(m, &type);
    bool has_timestamp = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && timestamp_ms > 0 &&
                         timestamp_ms < INT64_MAX / 1000;
    *out = (struct kafka_message){
        .timestamp_us = has_timestamp ? timestamp_ms * 1000 : TIMESTAMP_NONE,
        .topic = text_of(rd_kafka_topic_name(m->rkt)),
        .key = {m->key, m->key_len},
        .value = {m->payload, m->len},
        .partition = m->partition,
        .offset = m->offset,
        .has_value = m->payload != NULL,
        .handle = m,
    };
    return STATUS_OK;
}

void kafka_client_release(struct kafka_message *m)
{
    if (m->handle)
        rd_kafka_message_destroy(m->handle);
    *m = (struct kafka_message){0};
}

static void set_paused(struct kafka_client *c, bool is_paused)
{
    rd_kafka_topic_partition_list_t *all = NULL;
    if (c->is_paused == is_paused || rd_kafka_assignment(c->consumer, &all))
        return;
    (void)(is_paused ? rd_kafka_pause_partitions(c->consumer, all)
                     : rd_kafka_resume_partitions(c->consumer, all));
    c->is_paused = is_paused;
    rd_kafka_topic_partition_list_destroy(all);
}

void kafka_client_pause(struct kafka_client *c)
{
    set_paused(c, true);
}

void kafka_client_resume(struct kafka_client *c)
{
    set_paused(c, false);
}

void kafka_client_store(struct kafka_client *c, const struct kafka_place *place)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, place->topic, place->partition)->offset = place->offset;
    rd_kafka_resp_err_t code = rd_kafka_offsets_store(c->consumer, list);
    if (code)
        log_line(LOG_DEBUG, "kafka: offset not stored: %s", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
}

enum status kafka_client_seek(struct kafka_client *c, const struct kafka_place *place)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(c->consumer, place->topic, NULL);
    if (!topic)
        return STATUS_IO;
    rd_kafka_resp_err_t code = rd_kafka_seek(topic, place->partition, place->offset, CALL_MS);
    rd_kafka_topic_destroy(topic);
    if (code)
        log_line(LOG_WARNING, "kafka: cannot go back to offset: %s", rd_kafka_err2str(code));
    return code ? STATUS_IO : STATUS_OK;
}

int64_t kafka_client_end(const struct kafka_client *c, const struct kafka_place *place)
{
    int64_t low = -1;
    int64_t high = -1;
    rd_kafka_resp_err_t code =
        rd_kafka_get_watermark_offsets(c->consumer, place->topic, place->partition, &low, &high);
    return code || high < 0 ? -1 : high;
}

int64_t kafka_client_ask_end(struct kafka_client *c, const struct kafka_place *place)
{
    int64_t low = -1;
    int64_t high = -1;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        c->consumer, place->topic, place->partition, &low, &high, CALL_MS);
    return code || high < 0 ? -1 : high;
}

/* ---- dead letters ---- */

static rd_kafka_resp_err_t send_letter(struct kafka_client *c, const struct kafka_message *m,
                                       struct text value, const char *cause, struct text origin)
{
    union {
        const char *from;
        char *to;
    } key = {.from = m->key.at}, body = {.from = value.at}; /* copied, not written to */
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = c->dead_letter},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {key.to, m->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {body.to, value.len}},
        {.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {"tocsin.cause", cause, -1}},
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {"tocsin.origin", origin.at, (ssize_t)origin.len}},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(c->producer, parts, sizeof parts / sizeof *parts);
    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

enum status kafka_client_bury(struct kafka_client *c, const struct kafka_message *m,
                              const char *cause, struct text origin)
{
    if (!c->producer)
        return STATUS_NOTFOUND;
    struct text value = text_head(m->value, c->must_cut ? CUT_BYTES : SIZE_MAX);
    rd_kafka_resp_err_t code = send_letter(c, m, value, cause, origin);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) /* its origin says where all of it is */
        code = send_letter(c, m, text_head(m->value, CUT_BYTES), cause, origin);
    c->has_refused |= code != RD_KAFKA_RESP_ERR_NO_ERROR;
    return code ? STATUS_FULL : STATUS_OK;
}

bool kafka_client_flush(struct kafka_client *c, int timeout_ms)
{
    if (!c->producer)
        return true;
    bool is_done = rd_kafka_flush(c->producer, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!is_done) {
        (void)rd_kafka_purge(c->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(c->producer, timeout_ms);
    }
    bool is_ok = is_done && !c->has_refused;
    c->has_refused = false;
    return is_ok;
}
