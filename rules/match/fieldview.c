/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/fieldview.h"
#include "base/json_scan.h"
#include "rules/match/fold.h"
#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_BYTES = 96 << 20, DIGITS = 12 };
enum { PARAM_NAME = 256 }; /* longest "id.name"; RFC 5424 allows 32 for each */

struct slot {
    uint32_t generation; /* of the event that it belongs to */
    uint32_t first, last;
    uint32_t rank;
};

struct fieldview {
    const struct fieldmap *maps;
    uint32_t map_count, field_count;
    const struct event *event;
    struct slot *slots; /* by field number */
    struct fieldview_value *values;
    uint32_t value_count;
    uint32_t generation;
    struct arena scratch;   /* unescaped and folded bytes of one event */
    struct event rest;      /* all members of a document that was taken out in part */
    char digits[2][DIGITS]; /* of facility and severity */
    uint64_t cut_values;
};

void fieldview_free(struct fieldview *v)
{
    if (!v)
        return;
    arena_fini(&v->scratch);
    event_fini(&v->rest);
    free(v->slots);
    free(v->values);
    free(v);
}

enum status fieldview_new(const struct fieldmap *maps, uint32_t map_count, uint32_t field_count,
                          struct fieldview **out, struct error *err)
{
    AUTO(fieldview) v = calloc(1, sizeof *v);
    if (v) {
        arena_init(&v->scratch, SCRATCH_BYTES);
        v->slots = calloc(field_count, sizeof *v->slots);
        v->values = calloc(FIELDVIEW_VALUES, sizeof *v->values);
    }
    if (!v || !v->slots || !v->values)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the fields of an event");
    v->maps = maps;
    v->map_count = map_count;
    v->field_count = field_count;
    *out = MOVE(v);
    return STATUS_OK;
}

static void add(struct fieldview *v, uint32_t field, uint32_t rank,
                const struct fieldview_value *value)
{
    struct slot *slot = &v->slots[field];
    if (v->value_count == FIELDVIEW_VALUES) {
        v->cut_values++;
        return;
    }
    bool is_first = slot->generation != v->generation || rank < slot->rank;
    if (!is_first && rank > slot->rank)
        return;
    uint32_t index = v->value_count++;
    v->values[index] = *value;
    if (is_first)
        *slot = (struct slot){v->generation, index, index, rank};
    else {
        v->values[slot->last].next = index + 1;
        slot->last = index;
    }
}

static struct text digits_of(struct fieldview *v, int row, int number)
{
    if (number < 0)
        return TEXT_NONE;
    int len = snprintf(v->digits[row], DIGITS, "%d", number);
    return (struct text){v->digits[row], (size_t)len};
}

static struct text header_text(struct fieldview *v, enum envelope which)
{
    const struct event *e = v->event;
    switch (which) {
    case ENVELOPE_NONE:
        break;
    case ENVELOPE_HOST:
        return e->host;
    case ENVELOPE_PROGRAM:
        return e->program;
    case ENVELOPE_PID:
        return e->pid;
    case ENVELOPE_MSGID:
        return e->msgid;
    case ENVELOPE_FACILITY:
        return digits_of(v, 0, e->facility);
    case ENVELOPE_SEVERITY:
        return digits_of(v, 1, e->severity);
    case ENVELOPE_MESSAGE:
        return e->message;
    case ENVELOPE_PEER:
        return e->record ? e->record->peer : TEXT_NONE;
    }
    return TEXT_NONE;
}

/* What says a field, the first wins: the event's own fields, then what its header says. */
enum says { SAYS_FIELD, SAYS_HEADER, SAYS_COUNT };

static uint32_t rank_of(uint32_t name_rank, enum says who)
{
    return name_rank * SAYS_COUNT + who;
}

static void add_headers(struct fieldview *v, const struct fieldmap *map)
{
    for (uint32_t i = 0; i < map->header_count; i++) {
        const struct fieldmap_header *h = &map->headers[i];
        const struct slot *slot = &v->slots[h->field];
        const uint32_t rank = rank_of(h->rank, SAYS_HEADER);
        if (slot->generation == v->generation && slot->rank <= rank)
            continue;
        struct text t = header_text(v, h->which);
        bool is_number = h->which == ENVELOPE_FACILITY || h->which == ENVELOPE_SEVERITY;
        struct fieldview_value value = {.raw = t, .type = is_number ? VALUE_NUMBER : VALUE_STRING};
        if (t.len)
            add(v, h->field, rank, &value);
    }
}

static void add_field(struct fieldview *v, const struct fieldmap *map, enum says who,
                      struct text name, uint64_t hash, const struct fieldview_value *value)
{
    for (uint64_t at = hash & map->mask; map->entries[at].name.len; at = (at + 1) & map->mask) {
        const struct fieldmap_entry *entry = &map->entries[at];
        if (entry->hash == hash && text_equal(entry->name, name))
            add(v, entry->field, rank_of(entry->rank, who), value);
    }
}

/* RFC 5424 structured data: rules call a parameter "id.name". */
static void add_params(struct fieldview *v, const struct fieldmap *map)
{
    char room[PARAM_NAME];
    for (uint32_t i = 0; i < v->event->param_count; i++) {
        const struct sd_param *p = &v->event->params[i];
        const size_t len = p->id.len + 1 + p->key.len;
        if (!p->key.len || len > sizeof room)
            continue;
        memcpy(room, p->id.at, p->id.len);
        room[p->id.len] = '.';
        memcpy(room + p->id.len + 1, p->key.at, p->key.len);
        const struct text name = {room, len};
        const struct fieldview_value value = {.raw = p->value, .type = VALUE_STRING};
        add_field(v, map, SAYS_HEADER, name, event_name_hash(name), &value);
    }
}

void fieldview_open(struct fieldview *v, const struct event *e)
{
    const struct fieldmap *map = &v->maps[e->mapping < v->map_count ? e->mapping : 0];
    if (++v->generation == 0) { /* once in four thousand million events */
        memset(v->slots, 0, v->field_count * sizeof *v->slots);
        v->generation = 1;
    }
    v->event = e;
    v->value_count = 0;
    arena_reset(&v->scratch);
    for (uint32_t i = 0; i < e->field_count; i++) {
        const struct field *f = &e->fields[i];
        const struct fieldview_value value = {
            .raw = f->value, .type = f->type, .is_escaped = f->is_escaped};
        add_field(v, map, SAYS_FIELD, f->name, f->hash, &value);
    }
    add_params(v, map);
    add_headers(v, map);
}

static bool is_inside(struct text part, struct text whole)
{
    return part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

/* Is the message a JSON document whose members are fields? Its keys are no keywords. */
static bool is_structured(const struct event *e)
{
    if (e->format == FORMAT_JSON)
        return true;
    return e->document.len && is_inside(e->document, e->message);
}

static void add_whole(struct fieldview *v, const struct field *f, struct text prefix_of)
{
    if (f->type == VALUE_NULL || f->type == VALUE_OBJECT)
        return;
    const struct fieldview_value value = {
        .raw = f->value,
        .type = f->type,
        .is_escaped = f->is_escaped,
        .is_prefix = prefix_of.len && !f->is_escaped && is_inside(f->value, prefix_of),
    };
    add(v, NAMES_WHOLE, 0, &value);
}

/* The members of the event's document that nobody but keywords reads. */
static void add_rest(struct fieldview *v, const struct event *e, struct text prefix_of)
{
    size_t at = 0;
    v->rest.field_count = 0;
    enum status status = json_scan(e->document, NULL, &v->scratch, &v->rest, &at);
    v->cut_values += status != STATUS_OK;
    for (uint32_t i = 0; i < v->rest.field_count; i++)
        add_whole(v, &v->rest.fields[i], prefix_of);
}

/* Keywords search every value, and of text events the line itself and the message alone (for
 * anchors). */
static void fill_whole(struct fieldview *v)
{
    const struct event *e = v->event;
    bool structured = is_structured(e);
    struct text raw = e->record ? e->record->raw : TEXT_NONE;
    struct fieldview_value value = {.type = VALUE_STRING};
    bool is_whole = raw.len && raw.len <= FIELDVIEW_VALUE_BYTES; /* else its end is not searched */
    if (!structured) {
        value.raw = raw;
        if (raw.len)
            add(v, NAMES_WHOLE, 0, &value);
        value.raw = e->message;
        value.is_prefix = is_whole && is_inside(e->message, raw);
        if (e->message.len && !text_equal(e->message, raw))
            add(v, NAMES_WHOLE, 0, &value);
    }
    const struct text prefix_of = !structured && is_whole ? raw : TEXT_NONE;
    if (e->is_partial)
        add_rest(v, e, prefix_of);
    for (uint32_t i = e->is_partial ? e->document_fields : 0; i < e->field_count; i++)
        add_whole(v, &e->fields[i], prefix_of);
}

struct fieldview_value *fieldview_first(struct fieldview *v, uint32_t field)
{
    struct slot *slot = &v->slots[field];
    if (field == NAMES_WHOLE && slot->generation != v->generation)
        fill_whole(v);
    return slot->generation == v->generation ? &v->values[slot->first] : NULL;
}

struct fieldview_value *fieldview_next(struct fieldview *v, const struct fieldview_value *value)
{
    return value->next ? &v->values[value->next - 1] : NULL;
}

struct text fieldview_plain(struct fieldview *v, struct fieldview_value *value)
{
    if (value->has_plain)
        return value->plain;
    struct text t = value->raw;
    value->has_plain = true;
    switch (value->type) {
    case VALUE_NULL:
        value->plain = TEXT_NONE;
        return TEXT_NONE;
    case VALUE_OBJECT: /* an array is its elements, which are values of their own */
        if (t.at[0] != '{') {
            value->plain = TEXT_NONE;
            return TEXT_NONE;
        }
        value->is_escaped = memchr(t.at, '\\', t.len);
        break;
    case VALUE_TRUE:
        t = TEXT("true");
        break;
    case VALUE_FALSE:
        t = TEXT("false");
        break;
    case VALUE_STRING:
    case VALUE_NUMBER:
        break;
    }
    if (value->is_escaped)
        t = json_unescape(t, &v->scratch);
    if (!t.at && value->raw.len) /* no room: as good as cut to nothing */
        v->cut_values++;
    if (t.len > FIELDVIEW_VALUE_BYTES) {
        t.len = FIELDVIEW_VALUE_BYTES;
        v->cut_values++;
    }
    value->plain = t.at ? t : TEXT("");
    return value->plain;
}

struct text fieldview_folded(struct fieldview *v, struct fieldview_value *value)
{
    if (value->has_folded)
        return value->folded;
    struct text plain = fieldview_plain(v, value);
    value->has_folded = true;
    value->folded = plain;
    if (!plain.len)
        return plain;
    char *room = arena_bytes(&v->scratch, fold_room(plain.len));
    if (room)
        value->folded = (struct text){room, fold_text(plain, room)};
    else {
        value->folded = TEXT("");
        v->cut_values++;
    }
    return value->folded;
}

const struct number *fieldview_number(struct fieldview *v, struct fieldview_value *value)
{
    if (!value->has_number) {
        value->has_number = true;
        struct text plain = fieldview_plain(v, value);
        value->is_number = plain.len && number_parse(plain, &value->number);
    }
    return value->is_number ? &value->number : NULL;
}

int64_t fieldview_journal_us(const struct fieldview *v)
{
    return v->event->record ? v->event->record->journal_us : v->event->event_us;
}

uint64_t fieldview_cut_values(const struct fieldview *v)
{
    return v->cut_values;
}
