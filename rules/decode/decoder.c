/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder.h"
#include "rules/decode/decoder_document.h"
#include "rules/decode/decoder_parts.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct decoder_scratch {
    struct decoder_regex_scratch *regex;
    struct decoder_counters counters;
};

void decoder_release(struct decoder *d)
{
    decoder_regex_free(d->when);
    d->when = NULL;
    for (uint32_t i = 0; i < d->pattern_count; i++)
        decoder_regex_free(d->patterns[i].regex);
    d->pattern_count = 0;
}

void decoder_set_free(struct decoder_set *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->count; i++)
        decoder_release(s->decoders[i]);
    free(s->decoders);
    arena_fini(&s->arena);
    free(s);
}

uint32_t decoder_count(const struct decoder_set *s)
{
    return s->count;
}

const struct decoder *decoder_at(const struct decoder_set *s, uint32_t index)
{
    return s->decoders[index];
}

uint32_t decoder_place(const struct decoder *d)
{
    return d->index;
}

struct text decoder_name(const struct decoder *d)
{
    return d->name;
}

struct hash128 decoder_content(const struct decoder *d)
{
    return d->content;
}

struct hash128 decoder_set_content(const struct decoder_set *s)
{
    return s->content;
}

bool decoder_set_reads(const struct decoder_set *s, uint64_t hash)
{
    for (uint32_t i = 0; i < s->count; i++) {
        const struct decoder *d = s->decoders[i];
        bool is_read = own_time_reads(&d->times, hash);
        for (uint32_t j = 0; j < d->pattern_count && !is_read; j++)
            is_read = own_time_reads(&d->patterns[j].times, hash);
        if (is_read)
            return true;
    }
    return decoder_wrapped_reads(&s->wrapped, hash);
}

const struct logsource *decoder_logsources(const struct decoder *d, uint32_t *out_count)
{
    *out_count = d->logsource_count;
    return d->logsources;
}

static bool may_be(struct text a, struct text b)
{
    return !a.len || !b.len || text_equal_nocase(a, b);
}

bool decoder_reads(const struct decoder *d, const struct logsource *source)
{
    return d->has_match && may_be(d->match.category, source->category) &&
           may_be(d->match.product, source->product) && may_be(d->match.service, source->service);
}

const struct decoder *decoder_part(const struct decoder_set *s, struct text name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->decoders[i]->is_part && text_equal(s->decoders[i]->name, name))
            return s->decoders[i];
    return NULL;
}

const struct entity_field *decoder_entities(const struct decoder *d, uint32_t *out_count)
{
    *out_count = d->entity_count;
    return d->entities;
}

enum status decoder_scratch_new(struct decoder_scratch **out, struct error *err)
{
    AUTO(decoder_scratch) c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory to decode");
    enum status status = decoder_regex_scratch_new(&c->regex, err);
    if (status)
        return status;
    *out = MOVE(c);
    return STATUS_OK;
}

void decoder_scratch_free(struct decoder_scratch *c)
{
    if (!c)
        return;
    decoder_regex_scratch_free(c->regex);
    free(c);
}

const struct decoder_counters *decoder_get_counters(const struct decoder_scratch *c)
{
    return &c->counters;
}

/* ---- one decoder ---- */

static bool matches(struct decoder_scratch *c, const struct decoder_regex *regex,
                    struct text literal, struct text message)
{
    if (!text_starts(message, literal))
        return false;
    enum decoder_regex_result result = decoder_regex_match(regex, c->regex, message);
    c->counters.regex_limits += result == DECODER_REGEX_LIMIT;
    return result == DECODER_REGEX_YES;
}

static void take_time(const struct decoder *d, const struct decoder_pattern *p,
                      struct decoder_scratch *c, uint32_t from, struct event *event,
                      struct arena *arena)
{
    const struct own_times *times = p->times.count ? &p->times : &d->times;
    if (times->count && own_time_apply(times, from, event, arena) == OWN_TIME_UNREADABLE)
        c->counters.times_unreadable++;
}

static bool has_since(const struct event *event, uint32_t from, uint64_t hash)
{
    for (uint32_t i = from; i < event->field_count; i++)
        if (event->fields[i].hash == hash)
            return true;
    return false;
}

static void add_fields(const struct decoder *d, const struct decoder_pattern *p,
                       struct decoder_scratch *c, struct event *event, struct arena *arena)
{
    const struct text message = event->message;
    if (d->is_replacing) {
        event->field_count = event->document_fields = 0;
        event->is_partial = false;
    }
    const uint32_t from = event->field_count;
    for (uint32_t i = 0; i < p->capture_count; i++) {
        const struct decoder_capture *capture = &p->captures[i];
        struct text value = decoder_regex_taken(c->regex, message, capture->group);
        if (!value.at || (capture->is_again && has_since(event, from, capture->hash)))
            continue;
        const struct field f = {
            .name = capture->name, .value = decoder_field_address(value), .hash = capture->hash};
        (void)event_add_field(event, &f);
    }
    for (uint32_t i = 0; i < p->constant_count; i++)
        (void)event_add_field(event, &p->constants[i]);
    if (p->spread.kind)
        decoder_spread_add(&p->spread, &d->names,
                           decoder_regex_taken(c->regex, message, p->spread.group), event, arena);
    for (uint32_t i = 0; d->takes_parameters && i < event->param_count; i++)
        if (event->params[i].value.len)
            decoder_field_spread(&d->names, event->params[i].key, event->params[i].value, event);
    take_time(d, p, c, from, event, arena);
}

const struct decoder_pattern *decoder_try(const struct decoder *d, struct decoder_scratch *c,
                                          struct event *event, struct arena *arena)
{
    const struct text message = event->message;
    const uint32_t first = message.len ? (unsigned char)message.at[0] : 256;
    for (uint32_t i = d->starts[first]; i < d->starts[first + 1]; i++) {
        const struct decoder_pattern *p = &d->patterns[d->order[i]];
        if (!matches(c, p->regex, p->literal, message))
            continue;
        add_fields(d, p, c, event, arena);
        return p;
    }
    return NULL;
}

/* ---- which decoders ---- */

static const struct decoder_program *look_up(const struct decoder_set *s, struct text name)
{
    const uint64_t hash = event_name_hash(name);
    for (uint32_t at = (uint32_t)hash & s->table_mask; s->table[at].count;
         at = (at + 1) & s->table_mask)
        if (s->table[at].hash == hash && text_equal(s->table[at].name, name))
            return &s->table[at];
    return NULL;
}

/* The whole name first ("postfix/smtpd"), then what is behind the last slash, then prefixes. */
static const struct decoder_program *find_program(const struct decoder_set *s, struct text program)
{
    char lower[DECODER_PROGRAM];
    size_t base = 0;
    if (!program.len)
        return NULL;
    program = text_head(program, sizeof lower);
    for (size_t i = 0; i < program.len; i++) {
        const unsigned char byte = (unsigned char)program.at[i];
        lower[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
        base = byte == '/' ? i + 1 : base;
    }
    const struct text name = {lower, program.len};
    const struct decoder_program *found = look_up(s, name);
    if (!found && base)
        found = look_up(s, text_skip(name, base));
    for (uint32_t i = 0; !found && i < s->prefix_count; i++)
        if (text_starts(name, s->prefixes[i].name))
            found = &s->prefixes[i];
    return found;
}

static bool has_source(const struct event *event, const struct logsource *wanted)
{
    for (uint32_t i = 0; i < event->logsource_count; i++)
        if (decoder_document_covers(&event->logsources[i], wanted))
            return true;
    return false;
}

static bool is_same(const struct logsource *a, const struct logsource *b)
{
    return text_equal(a->category, b->category) && text_equal(a->product, b->product) &&
           text_equal(a->service, b->service);
}

/* Puts one log source at `place`; what stood there moves on, the last one falls out. */
static void put_source(const struct logsource *source, uint32_t place, struct event *event)
{
    uint32_t last = place;
    while (last < event->logsource_count && !is_same(&event->logsources[last], source))
        last++;
    if (last == EVENT_LOGSOURCES)
        last--;
    if (last == event->logsource_count)
        event->logsource_count++;
    memmove(&event->logsources[place + 1], &event->logsources[place],
            (last - place) * sizeof *source);
    event->logsources[place] = *source;
}

static void put_sources(const struct decoder *d, struct event *event)
{
    for (uint32_t i = 0; d && i < d->logsource_count; i++)
        put_source(&d->logsources[i], i, event);
}

/* What is known while decoders are asked one after the other. */
struct search {
    const struct decoder *matched;     /* a pattern did */
    const struct decoder *responsible; /* the last that should know the event */
    bool has_patterns;                 /* some responsible decoder has any */
};

static void ask(const struct decoder *d, struct search *found, struct decoder_scratch *c,
                struct event *event, struct arena *arena)
{
    found->responsible = d;
    found->has_patterns |= d->pattern_count != 0;
    if (decoder_try(d, c, event, arena))
        found->matched = d;
}

static void ask_by_program(const struct decoder_set *s, struct search *found,
                           struct decoder_scratch *c, struct event *event, struct arena *arena)
{
    const struct decoder_program *program = find_program(s, event->program);
    for (uint32_t i = 0; program && i < program->count && !found->matched; i++)
        ask(s->decoders[program->decoders[i]], found, c, event, arena);
}

/* Every name that the event's log sources say, so that most decoders are told apart by one bit. */
static uint64_t mark_sources(const struct event *event)
{
    uint64_t marks = 0;
    for (uint32_t i = 0; i < event->logsource_count; i++) {
        const struct logsource *s = &event->logsources[i];
        marks |= decoder_index_mark(s->category) | decoder_index_mark(s->product) |
                 decoder_index_mark(s->service);
    }
    return marks;
}

static void ask_by_source(const struct decoder_set *s, struct search *found,
                          struct decoder_scratch *c, struct event *event, struct arena *arena)
{
    const uint64_t marks = mark_sources(event);
    for (uint32_t i = 0; i < s->match_count && !found->matched; i++) {
        const struct decoder *d = s->decoders[s->matches[i]];
        if ((d->match_mark & ~marks) == 0 && has_source(event, &d->match))
            ask(d, found, c, event, arena);
    }
}

/* JSON whose message is no line that stood inside it, but the whole of it. */
static bool is_document(const struct event *e)
{
    if (e->format != FORMAT_JSON || !e->message.at) /* no pointer arithmetic on NULL */
        return e->format == FORMAT_JSON && !e->document.at;
    return !e->document.at || (e->message.at <= e->document.at &&
                               e->message.at + e->message.len >= e->document.at + e->document.len);
}

/* `when` looks at text that nobody else knows; JSON and its like have fields already. */
static void ask_by_look(const struct decoder_set *s, struct search *found,
                        struct decoder_scratch *c, struct event *event, struct arena *arena)
{
    if (event->mapping || is_document(event))
        return;
    const struct text message = event->message;
    const uint32_t first = message.len ? (unsigned char)message.at[0] : 256;
    for (uint32_t i = s->when_starts[first]; i < s->when_starts[first + 1] && !found->matched;
         i++) {
        const struct decoder *d = s->decoders[s->whens[i]];
        if (!matches(c, d->when, d->when_literal, message))
            continue;
        if (decoder_try(d, c, event, arena) || !d->pattern_count)
            found->matched = d;
    }
}

const struct decoder *decoder_apply(const struct decoder_set *s, struct decoder_scratch *c,
                                    struct event *event, struct arena *arena)
{
    struct search found = {0};
    if (event->mapping && event->record && event->record->columns.len)
        return NULL; /* the line's own header says more than patterns guess */
    if (event->format == FORMAT_JSON && !event->mapping && !event->program.len)
        decoder_wrapped_open(&s->wrapped, event, arena);
    ask_by_program(s, &found, c, event, arena);
    if (!found.matched && event->logsource_count)
        ask_by_source(s, &found, c, event, arena);
    if (!found.matched)
        ask_by_look(s, &found, c, event, arena);
    /* What a mapping knows is known by more than its program's name. */
    const bool is_spoken_for =
        event->mapping && !(found.responsible && found.responsible->has_match);
    if (!is_spoken_for)
        put_sources(found.responsible, event);
    put_sources(found.matched, event);
    c->counters.decoded += found.matched != NULL;
    if (!found.matched && found.has_patterns && !is_spoken_for) {
        event->flags |= EVENT_UNDECODED;
        c->counters.undecoded++;
    }
    return found.matched || is_spoken_for ? found.matched : found.responsible;
}

void decoder_read_part(const struct decoder *d, struct decoder_scratch *c, struct text text,
                       struct event *event, struct arena *arena)
{
    const struct text message = event->message;
    event->message = text;
    (void)decoder_try(d, c, event, arena);
    event->message = message;
}

/* ---- names ---- */

static bool tell_pattern(const struct decoder_pattern *p,
                         void (*tell)(void *context, struct text name), void *context)
{
    for (uint32_t i = 0; i < p->capture_count; i++)
        tell(context, p->captures[i].name);
    for (uint32_t i = 0; i < p->constant_count; i++)
        tell(context, p->constants[i].name);
    for (uint32_t i = 0; i < p->spread.column_count; i++)
        tell(context, p->spread.columns[i].to);
    return p->spread.kind == DECODER_SPREAD_NONE || p->spread.kind == DECODER_SPREAD_COLUMNS;
}

bool decoder_tell_names(const struct decoder *d, void (*tell)(void *context, struct text name),
                        void *context)
{
    bool is_all = true;
    for (uint32_t i = 0; i < d->pattern_count; i++)
        is_all &= tell_pattern(&d->patterns[i], tell, context);
    for (uint32_t i = 0; i < d->names.count; i++)
        tell(context, d->names.items[i].to);
    for (uint32_t i = 0; i < d->entity_count; i++)
        tell(context, d->entities[i].field);
    return is_all;
}
