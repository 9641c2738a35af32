/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/option.h"
#include "base/own.h"
#include "base/text.h"
#include "base/yaml.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stdint.h>

/* The one configuration file, read and checked; defaults where there is none. Immutable. */
struct config {
    struct arena arena;           /* owns every text and node below */
    struct text path;             /* empty: no file */
    const struct yaml_node *root; /* or NULL: where each key stands */

    struct text data;
    struct option_texts rules, decoders;
    struct text overrides, entities, lists;
    const struct yaml_node *sources, *sinks, *routes, *webhooks; /* lists or mappings, or NULL */

    struct config_http {
        struct text listen;
    } http;
    struct config_redis {
        struct text url;
    } redis;
    struct config_journal {
        uint64_t size_bytes, segment_bytes, reserve_bytes, backlog_bytes;
        int64_t age_us, batch_us;
        int full; /* 0 stop: sources are not read; 1 drop: counted */
        bool is_compressed;
    } journal;
    struct config_correlation {
        int fire; /* enum fire_policy */
        int64_t lateness_us;
        int64_t workers, shards;
        uint64_t memory_bytes;
        int64_t held;
        int64_t checkpoint_us;
    } correlation;
    struct config_score {
        double threshold;
        int64_t half_life_us;
    } score;
    struct config_time {
        struct text zone;
        int64_t ahead_us;
    } time;
    struct config_log {
        int level; /* enum log_level */
        bool is_json;
    } log;
};

/* `path` NULL: defaults. `data` NULL: what the file says, else the default folder. IO, SYNTAX or
 * INVALID with file, line and column in `err`. */
NODISCARD enum status config_load(const char *path, const char *data, struct config **out,
                                  struct error *err);
void config_free(struct config *c);
AUTO_DEFINE(config);

/* Every key with its value (the defaults where nothing was said) and a comment, as YAML that reads
 * back the same. */
void config_print(const struct config *c, struct buffer *out);

/* True where the file is a configuration: a mapping whose keys are a configuration's. */
bool config_is_one(const char *path);
