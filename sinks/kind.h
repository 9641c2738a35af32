/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/option.h"
#include "base/text.h"
#include "incidents/incidents.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A kind of destination: its options, and how one attempt is made. The destination around it owns
 * queue, pace and retries, so a kind only ever says what came of one try.
 */

enum { KIND_DETAIL_LEN = 200, KIND_RECIPIENTS = 64 };

/* What came of it for one recipient, where a destination has several. */
struct attempt_recipient {
    struct text name; /* lives as long as the sink */
    uint32_t number;  /* below KIND_RECIPIENTS, the same at every try */
    enum delivery_state state;
    int code; /* SMTP's reply; 0: none */
    char detail[KIND_DETAIL_LEN];
};

/* What came of one try. The kind fills it; it starts as zeros. */
struct attempt {
    enum delivery_state state; /* DELIVERED, ACCEPTED, FAILED_TEMP, FAILED_PERM or UNKNOWN */
    int http_status;           /* of HTTP, or SMTP's reply code; 0: none */
    int64_t retry_after_us;    /* the destination asked to wait so long; 0: it did not */
    bool is_down;              /* it did not answer as a working destination does: the breaker */
    bool must_disable;         /* it asked never to be called again */
    char detail[KIND_DETAIL_LEN];
    /* Those who were tried, where each has an outcome of its own; the sink's, until its next try.
     * `state` then says what came of it for the destination. */
    const struct attempt_recipient *recipients;
    uint32_t recipient_count;
};

/* What every destination can be told, whatever its kind. */
struct sink_common {
    struct text name;
    double rate_per_s, burst;
    int64_t retry_us, retry_ceiling_us, give_up_us;
    int64_t breaker_after, breaker_pause_us;
    int64_t queue;
};

struct kind_setting {
    const void
        *options; /* the kind's struct, as option_read filled it; lives as long as the sink */
    const char *data_dir;
    struct arena *arena; /* lives as long as the sink */
    bool is_check;       /* nothing is to be left behind: it is closed at once */
};

struct sink_kind {
    const char *name;
    const char *help; /* one sentence */
    const struct option *options;
    size_t option_count;
    size_t options_size; /* of the struct, which starts with struct sink_common */
    enum status (*open)(const struct kind_setting *setting, void **out, struct error *err);
    /* One try. The destination's thread. */
    void (*attempt)(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out);
    /* Makes a running try end soon; any thread. NULL where a try cannot hang. */
    void (*abandon)(void *sink);
    void (*close)(void *sink); /* NULL is fine */
};

/* The options every kind has. */
const struct option *kind_common_options(size_t *out_count);
/* Reads `node` by the common rows and the kind's own into `out` (options_size bytes). */
NODISCARD enum status kind_read_options(const struct sink_kind *k, const struct yaml_node *node,
                                        struct arena *arena, void *out, struct error *err);

/* Fills the attempt's state and its detail, by printf's words. */
__attribute__((format(printf, 3, 4))) void kind_tell(struct attempt *a, enum delivery_state state,
                                                     const char *format, ...);
