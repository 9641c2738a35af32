/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/option.h"
#include "base/own.h"
#include "base/text.h"
#include "base/yaml.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A member of a Kafka consumer group, and a producer for dead letters: the one place that knows
 * librdkafka. Written to Debian 12's 2.0.2 and its faults: messages are polled singly (batches
 * skip offsets around a pause), only the eager protocol (cooperative closes hang, commits lose the
 * assignment), a partition is resumed only if it was paused (else it rewinds), seeks go one by one
 * (the call for many has a timeout a thousand times too short). One thread, but for the lag.
 */
struct kafka_client;

struct kafka_place {
    const char *topic;
    int32_t partition;
    int64_t offset; /* in `assigned`: what is committed, below 0: nothing, or not known */
};

struct kafka_message {
    struct text topic, key, value;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_us; /* the record's own: of its log's append or of its producer;
                             TIMESTAMP_NONE: it has none */
    bool has_value;       /* false: a tombstone */
    void *handle;         /* the client's */
};

/* Called from kafka_client_poll, on its caller's thread. */
struct kafka_events {
    void *context;
    void (*assigned)(void *context, const struct kafka_place *places, uint32_t count);
    /* They may still be stored for, and are committed, when this returns; not when they are lost:
     * somebody else has them already. */
    void (*revoked)(void *context, const struct kafka_place *places, uint32_t count, bool is_lost);
};

struct kafka_setup {
    const struct yaml_node *properties; /* librdkafka's, passed on; checked by it */
    struct option_texts topics;
    struct text dead_letter; /* topic, or empty: no producer is made */
    struct kafka_events events;
};

/* Checks all properties, waits for no connection. INVALID names the property and why. */
NODISCARD enum status kafka_client_open(const struct kafka_setup *setup, struct kafka_client **out,
                                        struct error *err);
/* Commits what was stored and leaves the group, in about 10 s at most. `revoked` is not called. */
void kafka_client_close(struct kafka_client *c);
static inline void kafka_client_free(struct kafka_client *c)
{
    kafka_client_close(c);
}
AUTO_DEFINE(kafka_client);
/* Joins the group; the rest happens in polls. */
NODISCARD enum status kafka_client_subscribe(struct kafka_client *c, struct error *err);
/* A configured property as librdkafka sees it, or "". */
void kafka_client_property(const struct kafka_client *c, const char *name, char *out, size_t size);

/* AGAIN: nothing came. Other failures were logged and pass. OK: *out must be given back. */
NODISCARD enum status kafka_client_poll(struct kafka_client *c, int timeout_ms,
                                        struct kafka_message *out);
void kafka_client_release(struct kafka_message *m);

/*
 * Everything that is assigned, once: a second pause or resume does nothing. librdkafka goes on
 * behind the last record it gave away, even when a seek or an assignment came after that one: so a
 * caller seeks after each resume.
 */
void kafka_client_pause(struct kafka_client *c);
void kafka_client_resume(struct kafka_client *c);
/* What is before `offset` is done: committed by and by. Only for what is assigned. */
void kafka_client_store(struct kafka_client *c, const struct kafka_place *place);
/* Reads on from there. IO. */
NODISCARD enum status kafka_client_seek(struct kafka_client *c, const struct kafka_place *place);
/* The end of the partition's log as last seen, -1: not seen yet. Any thread. */
int64_t kafka_client_end(const struct kafka_client *c, const struct kafka_place *place);
/* The same by asking the broker; -1: it did not answer in time. */
int64_t kafka_client_ask_end(struct kafka_client *c, const struct kafka_place *place);

/* Sends the message to the dead letter topic with the headers tocsin.cause and tocsin.origin. */
NODISCARD enum status kafka_client_bury(struct kafka_client *c, const struct kafka_message *m,
                                        const char *cause, struct text origin);
/* True once every dead letter is acknowledged; false: not within `timeout_ms`, or one was refused:
 * they are forgotten, and must be sent again. */
bool kafka_client_flush(struct kafka_client *c, int timeout_ms);
