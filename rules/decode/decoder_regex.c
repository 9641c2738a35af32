/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "rules/decode/decoder_regex.h"
#include <ctype.h>
#include <pcre2.h>
#include <stdlib.h>

/* Log text is short and patterns are anchored: what needs more than this is a pattern gone wrong.
 */
enum {
    MATCH_LIMIT = 100000,
    DEPTH_LIMIT = 10000,
    HEAP_LIMIT_KIB = 1024,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MOST = 512 * 1024,
    PATTERN_MOST = 16 * 1024,
};

struct decoder_regex {
    pcre2_code *code;
    const unsigned char *names; /* the library's table of named groups */
    uint32_t name_count, name_size;
};

struct decoder_regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    const size_t *offsets; /* of the match data, fixed */
    uint32_t taken;        /* groups that the last match filled */
};

void decoder_regex_free(struct decoder_regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    free(r);
}

static enum status compile(struct text pattern, pcre2_code **out, struct error *err)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    *out = pcre2_compile((PCRE2_SPTR)(pattern.len ? pattern.at : ""), pattern.len,
                         PCRE2_DUPNAMES | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code,
                         &at, NULL);
    if (*out)
        return STATUS_OK;
    PCRE2_UCHAR reason[160];
    (void)pcre2_get_error_message(code, reason, sizeof reason);
    return error_set(err, STATUS_SYNTAX, 0, "pcre2: %s at offset %zu", (const char *)reason, at);
}

enum status decoder_regex_new(struct text pattern, struct decoder_regex **out, struct error *err)
{
    if (pattern.len > PATTERN_MOST)
        return error_set(err, STATUS_LIMIT, 0, "a pattern may have %d bytes", PATTERN_MOST);
    AUTO(decoder_regex) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a pattern");
    enum status status = compile(pattern, &r->code, err);
    if (status)
        return status;
    uint32_t groups = 0;
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    if (groups >= DECODER_GROUPS)
        return error_set(err, STATUS_LIMIT, 0, "a pattern may have %d groups", DECODER_GROUPS - 1);
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &r->name_count);
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &r->name_size);
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, &r->names);
    /* Without JIT the interpreter does the same work. */
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
    *out = MOVE(r);
    return STATUS_OK;
}

static void add_byte(struct decoder_firsts *f, uint32_t byte)
{
    f->bits[byte / 64 % 4] |= UINT64_C(1) << (byte % 64);
}

/* What the library knows of the first byte. The case flag of a single one is not told: both. */
static bool read_firsts(const pcre2_code *code, struct decoder_firsts *out)
{
    const uint8_t *bitmap = NULL;
    uint32_t type = 0;
    uint32_t unit = 0;
    (void)pcre2_pattern_info(code, PCRE2_INFO_FIRSTBITMAP, &bitmap);
    (void)pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &type);
    (void)pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &unit);
    for (uint32_t byte = 0; bitmap && byte < 256; byte++)
        if (bitmap[byte / 8] >> (byte % 8) & 1)
            add_byte(out, byte);
    if (!bitmap && type == 1) {
        add_byte(out, (uint32_t)tolower((int)unit));
        add_byte(out, (uint32_t)toupper((int)unit));
    }
    return bitmap || type == 1;
}

/* The library collects first bytes only for patterns that are not anchored: so it is asked about
 * the pattern without its anchor. */
bool decoder_regex_firsts(struct text pattern, struct decoder_firsts *out)
{
    pcre2_code *code = NULL;
    bool is_known = false;
    *out = (struct decoder_firsts){{0}};
    if (text_starts(pattern, TEXT("^")) && !compile(text_skip(pattern, 1), &code, NULL)) {
        is_known = read_firsts(code, out);
        pcre2_code_free(code);
    }
    for (uint32_t byte = 0; !is_known && byte < 256; byte++)
        add_byte(out, byte);
    return is_known;
}

bool decoder_regex_group(const struct decoder_regex *r, uint32_t i, struct text *out_name,
                         uint32_t *out_number)
{
    if (i >= r->name_count)
        return false;
    /* entry: number in two bytes, high first, then the name with its NUL */
    const unsigned char *entry = r->names + (size_t)i * r->name_size;
    *out_number = (uint32_t)entry[0] << 8 | entry[1];
    *out_name = text_of((const char *)entry + 2);
    return true;
}

void decoder_regex_scratch_free(struct decoder_regex_scratch *s)
{
    if (!s)
        return;
    pcre2_match_data_free(s->data);
    pcre2_match_context_free(s->context);
    pcre2_jit_stack_free(s->stack);
    free(s);
}

enum status decoder_regex_scratch_new(struct decoder_regex_scratch **out, struct error *err)
{
    AUTO(decoder_regex_scratch) s = calloc(1, sizeof *s);
    if (s) {
        s->data = pcre2_match_data_create(DECODER_GROUPS, NULL);
        s->context = pcre2_match_context_create(NULL);
        s->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
    }
    if (!s || !s->data || !s->context || !s->stack)
        return error_set(err, STATUS_NOMEM, 0, "no memory to match patterns");
    (void)pcre2_set_match_limit(s->context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(s->context, DEPTH_LIMIT);
    (void)pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(s->context, NULL, s->stack);
    s->offsets = pcre2_get_ovector_pointer(s->data);
    *out = MOVE(s);
    return STATUS_OK;
}

enum decoder_regex_result decoder_regex_match(const struct decoder_regex *r,
                                              struct decoder_regex_scratch *s, struct text t)
{
    int count =
        pcre2_match(r->code, (PCRE2_SPTR)(t.len ? t.at : ""), t.len, 0, 0, s->data, s->context);
    s->taken = count > 0 ? (uint32_t)count : 0;
    if (count > 0)
        return DECODER_REGEX_YES;
    return count == PCRE2_ERROR_NOMATCH ? DECODER_REGEX_NO : DECODER_REGEX_LIMIT;
}

struct text decoder_regex_taken(const struct decoder_regex_scratch *s, struct text t,
                                uint32_t group)
{
    if (group >= s->taken || s->offsets[2 * group] == PCRE2_UNSET)
        return TEXT_NONE;
    size_t from = s->offsets[2 * group];
    return (struct text){t.at + from, s->offsets[2 * group + 1] - from};
}
