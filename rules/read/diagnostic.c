/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/diagnostic.h"
#include <stdio.h>

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

const char *diagnostic_nearest(struct text word, const char *const *candidates, size_t count)
{
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
