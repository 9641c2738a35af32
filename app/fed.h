/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "app/pipeline.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/correlation.h"
#include <stdbool.h>
#include <stdint.h>

/* The windows that something went into during a run of one shard, for whoever asks at its end why
 * a correlation did not fire. */

enum { FED_MAX = 10000 };

struct fed_window {
    struct hash128 key;
    const struct correlation *correlation;
    struct text group; /* {"src_ip":"..."}, in the arena */
};

struct fed {
    struct arena arena;
    struct fed_window windows[FED_MAX];
    uint32_t count;
    bool is_cut; /* there were more */
};

void fed_init(struct fed *f);
void fed_fini(struct fed *f);
/* Decider's thread, once per batch. With `only` the windows of that correlation alone. */
void fed_note(struct fed *f, const struct batch *b, const struct rule *only);
/* {"group":{...},...}: shard_explain's object with the group before it. After pipeline_finish. */
void fed_write(const struct fed_window *w, const struct pipeline *p, struct buffer *out);
