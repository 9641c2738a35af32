/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/match/regex.h"
#include <pcre2.h>
#include <stdlib.h>

/* Enough for every public rule by a factor of 100; a pattern built to explode stops within some
 * milliseconds. */
enum {
    MATCH_LIMIT = 200000,
    DEPTH_LIMIT = 20000,
    HEAP_LIMIT_KIB = 4096,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MOST = 1024 * 1024,
    PATTERN_MOST = 64 * 1024,
};

/* struct regex is the library's own object: no second allocation, and no type of it in a header. */
static pcre2_code *code_of(struct regex *r)
{
    return (pcre2_code *)(void *)r;
}

static const pcre2_code *const_code_of(const struct regex *r)
{
    return (const pcre2_code *)(const void *)r;
}

enum status regex_new(struct text pattern, uint32_t flags, struct regex **out, struct error *err)
{
    if (pattern.len > PATTERN_MOST)
        return error_set(err, STATUS_LIMIT, 0, "a regular expression may have %d bytes",
                         PATTERN_MOST);
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    options |= flags & REGEX_CASELESS ? PCRE2_CASELESS : 0;
    options |= flags & REGEX_MULTILINE ? PCRE2_MULTILINE : 0;
    options |= flags & REGEX_DOTALL ? PCRE2_DOTALL : 0;
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)(pattern.len ? pattern.at : ""), pattern.len,
                                         options, &code, &at, NULL);
    if (!compiled && (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a regular expression");
    if (!compiled) {
        PCRE2_UCHAR reason[160];
        (void)pcre2_get_error_message(code, reason, sizeof reason);
        return error_set(err, STATUS_SYNTAX, 0, "regular expression: %s at offset %zu",
                         (const char *)reason, at);
    }
    /* Without JIT (no memory, or a kernel that forbids it) the interpreter does the same work. */
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    *out = (struct regex *)(void *)compiled;
    return STATUS_OK;
}

void regex_free(struct regex *r)
{
    if (r)
        pcre2_code_free(code_of(r));
}

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

void regex_scratch_free(struct regex_scratch *s)
{
    if (!s)
        return;
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->context);
    pcre2_jit_stack_free(s->stack);
    free(s);
}

enum status regex_scratch_new(struct regex_scratch **out, struct error *err)
{
    AUTO(regex_scratch) s = calloc(1, sizeof *s);
    if (s) {
        s->data = pcre2_match_data_create(1, NULL);
        s->context = pcre2_match_context_create(NULL);
        s->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
    }
    if (!s || !s->data || !s->context || !s->stack)
        return error_set(err, STATUS_NOMEM, 0, "no memory for regular expressions");
    (void)pcre2_set_match_limit(s->context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(s->context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(s->context, NULL, s->stack);
    *out = MOVE(s);
    return STATUS_OK;
}

enum regex_result regex_search(const struct regex *r, struct regex_scratch *s, struct text t)
{
    int code = pcre2_match(const_code_of(r), (PCRE2_SPTR)(t.len ? t.at : ""), t.len, 0, 0, s->data,
                           s->context);
    if (code >= 0)
        return REGEX_YES;
    return code == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_LIMIT;
}
