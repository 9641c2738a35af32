/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/diagnostic.h"
#include <stdio.h>
#include <string.h>

void diagnostic_pass(void *context, const struct diagnostic *one)
{
    struct diagnostics *f = context;
    if (one->severity == DIAGNOSTIC_ERROR) {
        if (!f->summary->errors++)
            (void)error_set(&f->first, STATUS_INVALID, one->line, "%.*s:%u: %.*s",
                            TEXT_ARG(one->file), one->line, TEXT_ARG(one->message));
    } else if (one->severity == DIAGNOSTIC_WARNING)
        f->summary->warnings++;
    else
        f->summary->hints++;
    if (f->tell)
        f->tell(f->context, one);
}

__attribute__((format(printf, 6, 0))) static void
tell(struct diagnostics *f, uint32_t line, uint32_t column, enum diagnostic_severity severity,
     const char *code, const char *format, va_list values)
{
    char message[1024];
    int len = vsnprintf(message, sizeof message, format, values);
    size_t used = len < 0 ? 0 : (size_t)len < sizeof message ? (size_t)len : sizeof message - 1;
    struct diagnostic one = {
        .file = f->file,
        .line = line,
        .column = column,
        .severity = severity,
        .code = code,
        .message = {message, used},
        .rule = f->rule,
    };
    diagnostic_pass(f, &one);
}

enum status diagnostic_error(struct diagnostics *f, const struct yaml_node *node, const char *code,
                             const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell(f, node ? node->line : 0, node ? node->column : 0, DIAGNOSTIC_ERROR, code, format, values);
    va_end(values);
    return STATUS_INVALID;
}

enum status diagnostic_at(struct diagnostics *f, uint32_t line, uint32_t column, const char *code,
                          const char *format, ...)
{
    va_list values;
    va_start(values, format);
    tell(f, line, column, DIAGNOSTIC_ERROR, code, format, values);
    va_end(values);
    return STATUS_INVALID;
}

void diagnostic_lint(struct diagnostics *f, const struct yaml_node *node,
                     enum diagnostic_severity severity, const char *code, const char *format, ...)
{
    if (!f->has_lints)
        return;
    va_list values;
    va_start(values, format);
    tell(f, node ? node->line : 0, node ? node->column : 0, severity, code, format, values);
    va_end(values);
}

enum { WORD_MOST = 40 };

static size_t distance(struct text a, struct text b)
{
    size_t row[WORD_MOST + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = diagonal + (a.at[i - 1] != b.at[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b.len];
}

/* What people write who know it from elsewhere: by edits some are nearer to another. */
static const char *meant(struct text word, const char *const *candidates, size_t count)
{
    static const char *const others[][2] = {
        {"ge", "gte"},
        {"geq", "gte"},
        {">=", "gte"},
        {"min", "gte"},
        {"le", "lte"},
        {"leq", "lte"},
        {"<=", "lte"},
        {"max", "lte"},
        {">", "gt"},
        {"<", "lt"},
        {"=", "eq"},
        {"==", "eq"},
        {"ne", "neq"},
        {"!=", "neq"},
        {"not", "neq"},
        {"regex", "re"},
        {"regexp", "re"},
        {"begins", "startswith"},
        {"starts", "startswith"},
        {"prefix", "startswith"},
        {"ends", "endswith"},
        {"suffix", "endswith"},
        {"like", "contains"},
        {"groupby", "group-by"},
        {"window", "timespan"},
        {"timeframe", "timespan"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (size_t k = 0; k < count && text_equal_nocase(word, text_of(others[i][0])); k++)
            if (strcmp(candidates[k], others[i][1]) == 0)
                return candidates[k];
    return NULL;
}

const char *diagnostic_nearest(struct text word, const char *const *candidates, size_t count)
{
    const char *known = meant(word, candidates, count);
    if (known)
        return known;
    const char *best = NULL;
    size_t least = word.len / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        struct text candidate = text_of(candidates[i]);
        if (word.len > WORD_MOST || candidate.len > WORD_MOST)
            continue;
        size_t edits = distance(word, candidate);
        if (edits < least && edits < candidate.len) {
            least = edits;
            best = candidates[i];
        }
    }
    return best;
}
