/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/yaml.h"
#include "rules/rules.h"

/* Where findings go while one load runs: counts them, and knows which file and rule is being read.
 */
struct diagnostics {
    diagnostic_fn tell; /* may be NULL */
    void *context;
    struct text file, rule; /* set by the reader as it goes */
    struct ruleset_summary *summary;
    struct error first; /* the first error, for is_strict */
    bool has_lints;     /* false: only errors */
};

/* Tells an error at `node` (may be NULL) and returns INVALID, so that a refusal is one statement.
 */
__attribute__((format(printf, 4, 5))) enum status diagnostic_error(struct diagnostics *f,
                                                                   const struct yaml_node *node,
                                                                   const char *code,
                                                                   const char *format, ...);
/* The same for warnings and hints: told only with has_lints. */
__attribute__((format(printf, 5, 6))) void
diagnostic_lint(struct diagnostics *f, const struct yaml_node *node,
                enum diagnostic_severity severity, const char *code, const char *format, ...);
/* At a line of the file that has no node. */
__attribute__((format(printf, 5, 6))) enum status diagnostic_at(struct diagnostics *f,
                                                                uint32_t line, uint32_t column,
                                                                const char *code,
                                                                const char *format, ...);
/* What decoders and mappings tell goes through the same counts: a diagnostic_fn whose context is a
 * struct diagnostics. */
void diagnostic_pass(void *context, const struct diagnostic *one);

/* The candidate nearest to `word` by edits, or NULL where none is near enough for a suggestion. */
const char *diagnostic_nearest(struct text word, const char *const *candidates, size_t count);
