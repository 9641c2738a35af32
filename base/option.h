/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/yaml.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Options as a table: one row each. Reading, checking, --print-config and help all use the rows.
 * An unknown key is an error that names its line and the nearest known key.
 */
enum option_type {
    OPTION_TEXT,     /* struct text */
    OPTION_BOOL,     /* bool */
    OPTION_INT,      /* int64_t */
    OPTION_SIZE,     /* uint64_t bytes: "64KiB" */
    OPTION_DURATION, /* int64_t us: "10s" */
    OPTION_DOUBLE,   /* double */
    OPTION_CHOICE,   /* int: index in `choices` */
    OPTION_TEXTS,    /* struct option_texts: a list, or one value */
    OPTION_NODE,     /* const struct yaml_node *: read by somebody else */
};

struct option_texts {
    const struct text *items;
    uint32_t count;
};

struct option {
    const char *name;
    enum option_type type;
    size_t offset;        /* of the member in the struct that is filled */
    const char *fallback; /* default as written in YAML; NULL: required; "" where there is none */
    double least, most;   /* of numbers, sizes and durations (in us); both 0: no limit */
    const char *const *choices; /* OPTION_CHOICE: names, NULL at the end */
    const char *help;           /* one sentence */
};

/* Fills `out` with defaults, then with what `node` (a mapping, or NULL for none) says. Texts live
 * in `arena`. INVALID or SYNTAX with line and column. */
NODISCARD enum status option_read(const struct option *table, size_t count,
                                  const struct yaml_node *node, struct arena *arena, void *out,
                                  struct error *err);
/* The rows as YAML with values and help as comments, indented by `indent` spaces. */
void option_print(const struct option *table, size_t count, const void *values, int indent,
                  struct buffer *out);
