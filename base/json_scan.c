/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include <string.h>

static const uint32_t NO_FIELD = UINT32_MAX;

/* One open object or array. */
struct frame {
    const struct json_name *name; /* its own; elements of an array share it */
    const char *start;            /* its bracket */
    struct json_guess *guess;     /* which name comes next */
    uint32_t field;               /* its own entry in event->fields, or NO_FIELD */
    bool is_array;
    bool is_begun;           /* holds a member already: a comma must come before the next */
    struct json_name member; /* the one that is read, where the shape has no room for it */
};

struct scan {
    const char *at, *end;
    const char *start;
    const struct json_index *index; /* of the document; NULL: its strings are read by the byte */
    struct json_shape *shape;       /* or NULL */
    struct json_name *names;        /* of the shape */
    struct arena *arena;
    struct event *event;
    char *room; /* left of a block that names are built in: one call into the arena for many */
    size_t room_len;
    uint32_t depth;
    struct json_guess nowhere; /* a guess that leads nowhere */
    bool is_cut;               /* a field found no room */
    bool is_partial;           /* a field that nobody wants was passed over */
    bool is_odd;               /* holds bytes beyond ASCII, or \\u */
    struct frame frames[JSON_SCAN_DEPTH];
};

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static inline void skip_space(struct scan *s)
{
    if (s->at == s->end || (unsigned char)*s->at <= ' ') /* what machines write has none */
        skip_blanks(s);
}

static inline bool take(struct scan *s, char wanted)
{
    if (s->at == s->end || *s->at != wanted)
        return false;
    s->at++;
    return true;
}

/* ---- strings ---- */

/* By the index: the document's strings were checked. */
static inline bool step_over_string(struct scan *s, struct text *out, bool *out_is_escaped)
{
    const struct json_index *x = s->index;
    const size_t from = (size_t)(s->at - s->start);
    size_t word = from / 64;
    uint64_t quotes = x->quotes[word] & (UINT64_MAX << from % 64);
    uint64_t backslashes = x->backslashes[word] & (UINT64_MAX << from % 64);
    uint64_t before = 0;
    while (!quotes) { /* the one at the document's end stops it */
        before |= backslashes;
        quotes = x->quotes[++word];
        backslashes = x->backslashes[word];
    }
    const char *end = s->start + word * 64 + (size_t)__builtin_ctzll(quotes);
    before |= backslashes & (quotes - 1) & ~quotes;
    if (end == s->end) {
        s->at = end;
        return false;
    }
    *out = (struct text){s->at, (size_t)(end - s->at)};
    *out_is_escaped = before != 0;
    s->at = end + 1;
    return true;
}

/* Behind the opening quote, up to and over the closing one. */
static bool read_string(struct scan *s, struct text *out, bool *out_is_escaped)
{
    if (s->index)
        return step_over_string(s, out, out_is_escaped);
    const char *at = s->at;
    bool is_escaped = false;
    for (;;) {
        at = json_string_plain_end(at, s->end);
        if (at == s->end)
            break;
        if (*at == '"') {
            *out = (struct text){s->at, (size_t)(at - s->at)};
            *out_is_escaped = is_escaped;
            s->at = at + 1;
            return true;
        }
        const bool is_escape = *at == '\\';
        size_t len = is_escape ? json_string_escape_len(at, s->end)
                               : text_utf8_len((struct text){at, (size_t)(s->end - at)});
        if (len < 2)
            break;
        is_escaped |= is_escape;
        s->is_odd |= len > 2 || !is_escape;
        at += len;
    }
    s->at = at;
    return false;
}

/* ---- numbers and words ---- */

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

static bool read_bare(struct scan *s, struct text *out, enum value_type *out_type)
{
    const char *start = s->at;
    bool is_good = false;
    switch (*s->at) {
    case 't':
        *out_type = VALUE_TRUE;
        is_good = skip_word(s, TEXT("true"));
        break;
    case 'f':
        *out_type = VALUE_FALSE;
        is_good = skip_word(s, TEXT("false"));
        break;
    case 'n':
        *out_type = VALUE_NULL;
        is_good = skip_word(s, TEXT("null"));
        break;
    default:
        *out_type = VALUE_NUMBER;
        is_good = skip_number(s);
        break;
    }
    *out = (struct text){start, (size_t)(s->at - start)};
    return is_good;
}

/* ---- members ---- */

/* A new field of the event, or NULL where none fits. */
static inline struct field *add(struct scan *s, const struct json_name *name)
{
    struct event *e = s->event;
    const struct field f = {.name = name->path, .hash = name->hash};
    if (name->path.at && e->field_count < e->field_max) /* event_add_field without its call */
        e->fields[e->field_count++] = f;
    else if (!name->path.at || !event_add_field(e, &f)) {
        s->is_cut = true;
        return NULL;
    }
    return &e->fields[e->field_count - 1];
}

static bool open_frame(struct scan *s, const struct json_name *name, bool is_array)
{
    if (s->depth == JSON_SCAN_DEPTH)
        return false;
    struct frame *frame = &s->frames[s->depth++];
    frame->name = name;
    frame->start = s->at;
    frame->guess = name->key ? &s->names[name - s->names].inside : &s->nowhere;
    frame->field = NO_FIELD;
    frame->is_array = is_array;
    frame->is_begun = false;
    struct field *f = name->is_wanted ? add(s, name) : NULL;
    if (f) {
        f->type = VALUE_OBJECT;
        f->value = (struct text){s->at, 1};
        frame->field = (uint32_t)(f - s->event->fields);
    }
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

static inline bool read_value(struct scan *s, const struct json_name *name)
{
    if (s->at == s->end)
        return false;
    s->is_partial |= !name->is_wanted;
    if (*s->at == '{' || *s->at == '[')
        return open_frame(s, name, *s->at == '[');
    struct text value = TEXT_NONE;
    enum value_type type = VALUE_STRING;
    bool is_escaped = false;
    if (take(s, '"') ? !read_string(s, &value, &is_escaped) : !read_bare(s, &value, &type))
        return false;
    struct field *f = name->is_wanted ? add(s, name) : NULL;
    if (f) {
        f->value = value;
        f->type = type;
        f->is_escaped = is_escaped;
    }
    return true;
}

/* ---- names ---- */

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

/* A NUL in a name would end it for every C library behind us: jansson refuses it too. */
static bool has_nul(struct text key)
{
    for (size_t at = text_find(key, TEXT("\\u0000")); at < key.len;) {
        size_t slashes = 1;
        while (slashes <= at && key.at[at - slashes] == '\\')
            slashes++;
        if (slashes % 2)
            return true;
        at += 6 + text_find(text_skip(key, at + 6), TEXT("\\u0000"));
    }
    return false;
}

/* A name that the shape does not hold: it has no key. */
static const struct json_name *name_unknown(struct scan *s, struct frame *f, struct text key)
{
    struct json_name *n = &f->member;
    *n = (struct json_name){.path = key, .is_wanted = true};
    if (!key.at || !f->name->path.at)
        n->path = TEXT_NONE;
    else if (s->depth > 1)
        n->path = join(s, f->name->path, key);
    if (n->path.at) {
        n->hash = event_name_hash(n->path);
        n->is_wanted = !s->shape || json_shape_wants(s->shape, n->path, n->hash);
    }
    return n;
}

static inline const struct json_name *name_known(struct scan *s, struct frame *f, uint32_t name)
{
    struct json_name *n = &s->names[name];
    if (f->guess->last != name)
        *f->guess = (struct json_guess){name, f->guess->last};
    f->guess = &n->follows;
    return n;
}

static inline bool is_same_key(const struct json_name *n, const char *at)
{
#ifdef __SSE2__
    if (n->key_len <= 16) { /* json_name.key has 16 readable bytes, the document has too: below */
        __m128i want = _mm_loadu_si128((const __m128i *)(const void *)n->key);
        __m128i have = _mm_loadu_si128((const __m128i *)(const void *)at);
        unsigned differs = ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(want, have));
        return !(differs & ((1U << n->key_len) - 1));
    }
#endif
    return memcmp(n->key, at, n->key_len) == 0;
}

/* Is the next key, between its quotes, this one that stood here before? */
static inline bool is_guessed(const struct scan *s, uint32_t guess)
{
    enum { READ = 18 }; /* quote, 16 bytes at once, quote */
    const size_t left = (size_t)(s->end - s->at);
    if (!guess || left < READ)
        return false;
    const struct json_name *n = &s->names[guess];
    return left >= n->key_len + 2U && s->at[0] == '"' && s->at[n->key_len + 1] == '"' &&
           is_same_key(n, s->at + 1);
}

static const struct json_name *read_new_key(struct scan *s, struct frame *f)
{
    struct text key = TEXT_NONE;
    bool is_escaped = false;
    if (!take(s, '"') || !read_string(s, &key, &is_escaped) || (is_escaped && has_nul(key)))
        return NULL;
    const bool is_learnable = s->shape && !is_escaped && f->name->key;
    const uint32_t name =
        is_learnable ? json_shape_find(s->shape, (uint32_t)(f->name - s->names), key) : 0;
    return name ? name_known(s, f, name)
                : name_unknown(s, f, is_escaped ? json_unescape(key, s->arena) : key);
}

/* A member's name, over its closing quote; NULL: it is none. */
static inline const struct json_name *read_key(struct scan *s, struct frame *f)
{
    const uint32_t guess = is_guessed(s, f->guess->last)    ? f->guess->last
                           : is_guessed(s, f->guess->other) ? f->guess->other
                                                            : 0;
    if (!guess)
        return read_new_key(s, f);
    s->at += s->names[guess].key_len + 2;
    return name_known(s, f, guess);
}

/* ---- documents ---- */

static inline const struct json_name *read_name(struct scan *s, struct frame *f)
{
    const struct json_name *name = read_key(s, f);
    if (!name)
        return NULL;
    skip_space(s);
    if (!take(s, ':'))
        return NULL;
    skip_space(s);
    return name;
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
    const struct json_name *name = f->is_array ? f->name : read_name(s, f);
    return name && read_value(s, name);
}

static bool read_document(struct scan *s)
{
    skip_space(s);
    struct frame *root = &s->frames[s->depth++];
    static const struct json_name document = {.path = {"", 0}};
    root->name = s->shape ? s->names : &document;
    root->start = s->at;
    root->guess = s->shape ? &s->names[0].inside : &s->nowhere;
    root->field = NO_FIELD;
    root->is_array = root->is_begun = false;
    if (!take(s, '{'))
        return false;
    while (s->depth)
        if (!read_next(s))
            return false;
    skip_space(s);
    return s->at == s->end;
}

enum status json_scan(struct text document, struct json_shape *shape, struct arena *arena,
                      struct event *event, size_t *out_at)
{
    if (!document.len)
        document.at = "";
    struct scan s; /* its frames are not cleared */
    s.at = s.start = document.at;
    s.end = document.at + document.len;
    s.shape = shape;
    s.names = shape ? json_shape_names(shape) : NULL;
    s.index = shape && json_index_build(json_shape_index(shape), document) ? json_shape_index(shape)
                                                                           : NULL;
    s.arena = arena;
    s.event = event;
    s.room = NULL;
    s.room_len = 0;
    s.depth = 0;
    s.nowhere = (struct json_guess){0};
    s.is_cut = s.is_partial = s.is_odd = false;
    const uint32_t count = event->field_count;
    const uint32_t flags = event->flags;
    if (!read_document(&s)) {
        event->field_count = count;
        event->flags = flags;
        *out_at = (size_t)(s.at - document.at);
        return STATUS_SYNTAX;
    }
    event->document = document;
    event->is_partial = s.is_partial;
    event->is_plain = s.index ? s.index->is_ascii : !s.is_odd;
    event->document_fields = event->field_count - count;
    if (!s.is_cut)
        return STATUS_OK;
    event->flags |= EVENT_FIELDS_CUT;
    return STATUS_LIMIT;
}
