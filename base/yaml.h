/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * YAML 1.2 documents as trees with places, for rules, decoders, tests and configuration. The one
 * adapter of libyaml; here, and not in a stage, because rules, sinks, incidents and app all read
 * YAML. Duplicate keys, aliases that grow without bound, depth above 1,024... are errors.
 */
enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_pair;
struct yaml_node {
    enum yaml_kind kind;
    uint32_t line, column; /* from 1 */
    uint32_t end_line;
    bool is_plain;     /* scalar without quotes: may be null, a number or a boolean */
    struct text value; /* scalar, escapes undone */
    const struct yaml_node *const *items; /* sequence */
    const struct yaml_pair *pairs;        /* mapping, in the order written */
    uint32_t count;                       /* of items or pairs */
};
struct yaml_pair {
    const struct yaml_node *key; /* always a scalar */
    const struct yaml_node *value;
};

struct yaml_file {
    const struct yaml_node *const *documents; /* empty documents are left out */
    uint32_t count;
};

/* Reads all documents. Nodes and bytes live in `arena`. SYNTAX with line and column, LIMIT. */
NODISCARD enum status yaml_parse(struct text source, struct arena *arena, struct yaml_file *out,
                                 struct error *err);
/* The whole file at `path`, at most 64 MiB. IO names the path and the system's reason. */
NODISCARD enum status yaml_load(const char *path, struct arena *arena, struct yaml_file *out,
                                struct error *err);

/* A mapping's value, or NULL; also NULL where `node` is NULL or no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *node, struct text key);
/* YAML 1.2 core schema: plain `null`, `Null`, `NULL`, `~` or nothing. */
bool yaml_is_null(const struct yaml_node *node);
/* Plain `true`/`false` in its three spellings; `yes`, `no`, `on`, `off` are strings. */
bool yaml_bool(const struct yaml_node *node, bool *out);
/* Plain integer or float of the core schema (0x and 0o too). */
bool yaml_is_number(const struct yaml_node *node);
bool yaml_int64(const struct yaml_node *node, int64_t *out);
bool yaml_double(const struct yaml_node *node, double *out);
