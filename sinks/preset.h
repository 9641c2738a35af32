/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/option.h"
#include "base/text.h"
#include "base/yaml.h"
#include "incidents/incidents.h"
#include "sinks/template.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * How one system is spoken to, as a file: which requests, in what words, and what counts as
 * success. The README of this folder says how one is written; those that ship are in share/.
 */
enum { PRESET_OPTIONS = 16, PRESET_REQUESTS = 8, PRESET_HEADERS = 12, PRESET_TAKES = 8 };

struct preset_option {
    struct text name, help, fallback;
    bool is_secret; /* read from the file that NAME_file names */
    bool is_required;
};

struct preset_pair {
    struct text key, value;
};

struct preset_request {
    uint32_t kinds;              /* bits of enum notice_kind */
    struct text only_if, unless; /* names of what an earlier answer gave; empty: always */
    struct text method;
    const struct template *url, *body;
    const struct template *headers[PRESET_HEADERS]; /* whole lines */
    uint32_t header_count;
    int64_t statuses[8]; /* none: 2xx */
    uint32_t status_count;
    struct text ok_body;                    /* the whole answer, trimmed; empty: any */
    struct preset_pair ok_json;             /* a path and what must stand there; empty: any */
    struct text error_path;                 /* where the answer says why not */
    struct preset_pair takes[PRESET_TAKES]; /* name: path into the answer */
    uint32_t take_count;
};

struct preset {
    struct text name, help;
    bool is_repeat_safe; /* the system knows a repeat by its key */
    bool is_delivered;   /* success is delivered, not merely accepted */
    struct preset_option options[PRESET_OPTIONS];
    uint32_t option_count;
    const struct yaml_node *maps;
    struct preset_request requests[PRESET_REQUESTS];
    uint32_t request_count;
};

/* `name` is one that ships, or a path (with a slash in it). Lives in `arena`. NOTFOUND names those
 * that ship. */
NODISCARD enum status preset_load(struct text name, struct arena *arena, const struct preset **out,
                                  struct error *err);
/* The entry for `key`, else the entry "*", else the key. */
struct text preset_map(const struct preset *p, struct text table, struct text key);
