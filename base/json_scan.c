/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* One open object or array. */
struct frame {
    struct text path;   /* its own dotted path; at NULL: it found no room */
    const char *start;  /* its bracket */
    uint64_t path_hash; /* arrays: of path, for the elements */
    uint32_t field;     /* its own entry in event->fields, or NO_FIELD */
    bool is_array;
    bool is_begun; /* holds a member already: a comma must come before the next */
};

static const uint32_t NO_FIELD = UINT32_MAX;

struct scan {
    const char *at, *end;
    struct arena *arena;
    struct event *event;
    char *room; /* left of a block that names are built in: one call into the arena for many */
    size_t room_len;
    uint32_t depth;
    bool is_cut; /* a field found no room */
    struct frame frames[JSON_SCAN_DEPTH];
};

/* A name of a field on its way in. */
struct label {
    struct text path;
    uint64_t hash;
};

static void skip_space(struct scan *s)
{
    if (s->at < s->end && (unsigned char)*s->at > ' ')
        return; /* nearly always: what machines write has no space */
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static bool take(struct scan *s, char wanted)
{
    if (s->at == s->end || *s->at != wanted)
        return false;
    s->at++;
    return true;
}

/* ---- strings ------------------------------------------------------------------------------- */

/* On to the next byte that plain text cannot hold: a quote, a backslash, control or non-ASCII. */
static const char *plain_end(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(' ');
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* a signed comparison finds both: control characters and bytes from 0x80 on */
        __m128i odd = _mm_or_si128(
            _mm_cmplt_epi8(bytes, space),
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four hex digits at `at`, or -1. */
static int32_t hex_unit(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/* Behind the "\u": the length of what belongs to one character, or 0; gives the character. */
static size_t unicode_escape(const char *at, const char *end, uint32_t *out)
{
    int32_t unit = hex_unit(at, end);
    if (unit < 0 || is_low(unit))
        return 0;
    *out = (uint32_t)unit;
    if (!is_high(unit))
        return 4;
    if (end - at < 10 || at[4] != '\\' || at[5] != 'u')
        return 0;
    int32_t low = hex_unit(at + 6, end);
    if (!is_low(low))
        return 0;
    *out = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return 10;
}

/* What the letter behind a backslash stands for, or 0. Windows paths are full of them. */
static char simple_escape(char c)
{
    static const char means[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    return (unsigned char)c < sizeof means ? means[(unsigned char)c] : '\0';
}

/* At a backslash: over the whole escape. */
static bool skip_escape(struct scan *s)
{
    if (s->end - s->at < 2)
        return false;
    if (simple_escape(s->at[1])) {
        s->at += 2;
        return true;
    }
    if (s->at[1] != 'u')
        return false;
    uint32_t character = 0;
    size_t len = unicode_escape(s->at + 2, s->end, &character);
    s->at += len ? len + 2 : 0;
    return len != 0;
}

/* Behind the opening quote, up to and over the closing one. */
static bool read_string(struct scan *s, struct text *out, bool *out_is_escaped)
{
    const char *start = s->at;
    bool is_escaped = false;
    for (;;) {
        s->at = plain_end(s->at, s->end);
        if (s->at == s->end)
            return false;
        if (*s->at == '"')
            break;
        if (*s->at == '\\') {
            is_escaped = true;
            if (!skip_escape(s))
                return false;
            continue;
        }
        size_t len = text_utf8_len((struct text){s->at, (size_t)(s->end - s->at)});
        if (len < 2)
            return false;
        s->at += len;
    }
    *out = (struct text){start, (size_t)(s->at - start)};
    *out_is_escaped = is_escaped;
    s->at++;
    return true;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(marks[len] | c);
    return len;
}

struct text json_unescape(struct text escaped, struct arena *arena)
{
    size_t first = text_find_byte(escaped, '\\');
    if (first == escaped.len)
        return escaped;
    char *out = arena_bytes(arena, escaped.len); /* no escape is shorter than what it stands for */
    if (!out)
        return TEXT_NONE;
    size_t len = 0;
    const char *end = escaped.at + escaped.len;
    for (const char *at = escaped.at; at < end;) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash ? slash : end) - at);
        memcpy(out + len, at, plain);
        len += plain;
        at += plain;
        if (end - at < 2)
            break;
        if (at[1] != 'u') {
            out[len++] = simple_escape(at[1]);
            at += 2;
            continue;
        }
        uint32_t character = 0;
        size_t used = unicode_escape(at + 2, end, &character);
        if (!used)
            break;
        len += put_utf8(character, out + len);
        at += 2 + used;
    }
    return (struct text){out, len};
}

/* ---- numbers and words ----------------------------------------------------------------------- */

static bool skip_digits(struct scan *s)
{
    const char *start = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > start;
}

static bool skip_number(struct scan *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !skip_digits(s))
        return false;
    if (take(s, '.') && !skip_digits(s))
        return false;
    if (s->at == s->end || (*s->at | 0x20) != 'e')
        return true;
    s->at++;
    if (!take(s, '+'))
        (void)take(s, '-');
    return skip_digits(s);
}

static bool skip_word(struct scan *s, struct text word)
{
    if (!text_starts((struct text){s->at, (size_t)(s->end - s->at)}, word))
        return false;
    s->at += word.len;
    return true;
}

static bool read_bare(struct scan *s, struct field *out)
{
    const char *start = s->at;
    bool is_good = false;
    switch (*s->at) {
    case 't':
        out->type = VALUE_TRUE;
        is_good = skip_word(s, TEXT("true"));
        break;
    case 'f':
        out->type = VALUE_FALSE;
        is_good = skip_word(s, TEXT("false"));
        break;
    case 'n':
        out->type = VALUE_NULL;
        is_good = skip_word(s, TEXT("null"));
        break;
    default:
        out->type = VALUE_NUMBER;
        is_good = skip_number(s);
        break;
    }
    out->value = (struct text){start, (size_t)(s->at - start)};
    return is_good;
}

/* ---- members --------------------------------------------------------------------------------- */

/* The index that the field has in the event, or NO_FIELD. */
static uint32_t add(struct scan *s, struct field *f, const struct label *label)
{
    f->name = label->path;
    f->hash = label->hash;
    struct event *e = s->event;
    if (f->name.at && e->field_count < e->field_max) { /* event_add_field without its call */
        e->fields[e->field_count] = *f;
        return e->field_count++;
    }
    if (f->name.at && event_add_field(e, f))
        return e->field_count - 1;
    s->is_cut = true;
    return NO_FIELD;
}

static bool open_frame(struct scan *s, const struct label *label, bool is_array)
{
    if (s->depth == JSON_SCAN_DEPTH)
        return false;
    struct field f = {.value = {s->at, 1}, .type = VALUE_OBJECT};
    s->frames[s->depth++] = (struct frame){.path = label->path,
                                           .start = s->at,
                                           .path_hash = label->hash,
                                           .field = add(s, &f, label),
                                           .is_array = is_array};
    s->at++;
    return true;
}

static void close_frame(struct scan *s)
{
    const struct frame *f = &s->frames[--s->depth];
    s->at++;
    if (f->field != NO_FIELD)
        s->event->fields[f->field].value.len = (size_t)(s->at - f->start);
}

static bool read_value(struct scan *s, const struct label *label)
{
    if (s->at == s->end)
        return false;
    if (*s->at == '{' || *s->at == '[')
        return open_frame(s, label, *s->at == '[');
    struct field f = {.type = VALUE_STRING};
    if (take(s, '"') ? !read_string(s, &f.value, &f.is_escaped) : !read_bare(s, &f))
        return false;
    (void)add(s, &f, label);
    return true;
}

static char *take_room(struct scan *s, size_t len)
{
    enum { ROOM = 512 };
    if (len > s->room_len) {
        const size_t size = len > ROOM ? len : ROOM;
        char *more = arena_bytes(s->arena, size);
        if (!more)
            return NULL;
        s->room = more;
        s->room_len = size;
    }
    char *at = s->room;
    s->room += len;
    s->room_len -= len;
    return at;
}

/* "<path>.<key>"; at NULL where there is no room. */
static struct text join(struct scan *s, struct text path, struct text key)
{
    char *at = take_room(s, path.len + 1 + key.len);
    if (!at)
        return TEXT_NONE;
    memcpy(at, path.at, path.len);
    at[path.len] = '.';
    memcpy(at + path.len + 1, key.at, key.len);
    return (struct text){at, path.len + 1 + key.len};
}

static bool read_key(struct scan *s, struct text *out)
{
    bool is_escaped = false;
    if (!take(s, '"') || !read_string(s, out, &is_escaped))
        return false;
    if (!is_escaped)
        return true;
    /* A NUL in a name would end it for every C library behind us: jansson refuses it too. */
    for (size_t at = text_find(*out, TEXT("\\u0000")); at < out->len;) {
        size_t slashes = 1;
        while (slashes <= at && out->at[at - slashes] == '\\')
            slashes++;
        if (slashes % 2)
            return false;
        at += 6 + text_find(text_skip(*out, at + 6), TEXT("\\u0000"));
    }
    *out = json_unescape(*out, s->arena);
    return true;
}

static bool read_member(struct scan *s, const struct frame *f)
{
    struct text key = TEXT_NONE;
    if (!read_key(s, &key))
        return false;
    skip_space(s);
    if (!take(s, ':'))
        return false;
    skip_space(s);
    struct label label = {.path = key};
    if (!key.at || !f->path.at)
        label.path = TEXT_NONE;
    else if (s->depth > 1 || f->path.len)
        label.path = join(s, f->path, key);
    if (label.path.at)
        label.hash = event_name_hash(label.path);
    return read_value(s, &label);
}

/* One member, element or closing bracket of the innermost frame. */
static bool read_next(struct scan *s)
{
    struct frame *f = &s->frames[s->depth - 1];
    skip_space(s);
    if (s->at == s->end)
        return false;
    if (*s->at == (f->is_array ? ']' : '}')) {
        close_frame(s);
        return true;
    }
    if (f->is_begun) {
        if (!take(s, ','))
            return false;
        skip_space(s);
    }
    f->is_begun = true;
    if (!f->is_array)
        return read_member(s, f);
    const struct label label = {f->path, f->path_hash};
    return read_value(s, &label);
}

static bool read_document(struct scan *s, struct text prefix)
{
    skip_space(s);
    const struct frame root = {
        .path = prefix.at ? prefix : TEXT(""), .start = s->at, .field = NO_FIELD};
    if (!take(s, '{'))
        return false;
    s->frames[s->depth++] = root;
    while (s->depth)
        if (!read_next(s))
            return false;
    skip_space(s);
    return s->at == s->end;
}

enum status json_scan(struct text document, struct text prefix, struct arena *arena,
                      struct event *event, size_t *out_at)
{
    if (!document.len)
        document.at = "";
    struct scan s;
    s.at = document.at;
    s.end = document.at + document.len;
    s.arena = arena;
    s.event = event;
    s.room = NULL;
    s.room_len = 0;
    s.depth = 0;
    s.is_cut = false;
    const uint32_t count = event->field_count;
    const uint32_t flags = event->flags;
    if (!read_document(&s, prefix)) {
        event->field_count = count;
        event->flags = flags;
        *out_at = (size_t)(s.at - document.at);
        return STATUS_SYNTAX;
    }
    if (!s.is_cut)
        return STATUS_OK;
    event->flags |= EVENT_FIELDS_CUT;
    return STATUS_LIMIT;
}
