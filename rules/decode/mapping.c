/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping.h"
#include "rules/decode/mapping_parts.h"
#include <stdlib.h>
#include <string.h>

void mapping_set_free(struct mapping_set *s)
{
    if (!s)
        return;
    free(s->mappings);
    arena_fini(&s->arena);
    free(s);
}

uint32_t mapping_count(const struct mapping_set *s)
{
    return s->count;
}

static const struct mapping *at(const struct mapping_set *s, uint32_t index)
{
    return index && index <= s->count ? s->mappings[index - 1] : NULL;
}

struct text mapping_name(const struct mapping_set *s, uint32_t index)
{
    const struct mapping *m = at(s, index);
    return m ? m->name : TEXT("");
}

struct hash128 mapping_content(const struct mapping_set *s, uint32_t index)
{
    const struct mapping *m = at(s, index);
    return m ? m->content : (struct hash128){0};
}

struct hash128 mapping_set_content(const struct mapping_set *s)
{
    return s->content;
}

const struct entity_field *mapping_entities(const struct mapping_set *s, uint32_t index,
                                            uint32_t *out_count)
{
    const struct mapping *m = at(s, index);
    *out_count = m ? m->entity_count : 0;
    return m ? m->entities : NULL;
}

const struct logsource *mapping_logsources(const struct mapping_set *s, uint32_t index,
                                           uint32_t *out_count)
{
    const struct mapping *m = at(s, index);
    *out_count = m ? m->logsource_count : 0;
    return m ? m->logsources : NULL;
}

/* ---- names ---- */

static const struct mapping_field *find_field(const struct mapping *m, struct text name)
{
    for (uint32_t i = 0; i < m->field_count; i++)
        if (text_equal(m->fields[i].name, name))
            return &m->fields[i];
    return NULL;
}

/* The target with its first star replaced by the name; at NULL without memory. */
static struct text fill(struct text target, struct text name, struct arena *arena)
{
    const size_t star = text_find_byte(target, '*');
    if (star == target.len)
        return target;
    const struct text tail = text_skip(target, star + 1);
    char *out = arena_bytes(arena, star + name.len + tail.len);
    if (!out)
        return TEXT_NONE;
    memcpy(out, target.at, star);
    memcpy(out + star, name.at, name.len);
    memcpy(out + star + name.len, tail.at, tail.len);
    return (struct text){out, star + name.len + tail.len};
}

uint32_t mapping_names(const struct mapping *m, struct text sigma_name, struct arena *arena,
                       struct text out_names[MAPPING_NAMES])
{
    const struct mapping_field *named = find_field(m, sigma_name);
    const struct mapping_field *other = named ? named : find_field(m, TEXT("*"));
    uint32_t count = 0;
    for (uint32_t i = 0; other && i < other->targets.count && count < MAPPING_NAMES - 1; i++) {
        const struct text name = fill(other->targets.items[i], sigma_name, arena);
        if (name.at)
            out_names[count++] = name;
    }
    for (uint32_t i = 0; i < count; i++)
        if (text_equal(out_names[i], sigma_name))
            return count;
    /* the event's own name stays: a line that an agent wrapped was decoded under usual ones */
    out_names[count++] = sigma_name;
    return count;
}

uint32_t mapping_resolve(const struct mapping_set *s, uint32_t index, struct text sigma_name,
                         struct arena *arena, struct text out_names[MAPPING_NAMES])
{
    const struct mapping *m = at(s, index);
    if (m)
        return mapping_names(m, sigma_name, arena, out_names);
    /* Most public web rules write paths into cs-uri-query: text logs have the whole target too. */
    if (text_equal(sigma_name, TEXT("cs-uri-query"))) {
        out_names[0] = TEXT("cs-uri");
        out_names[1] = sigma_name;
        return 2;
    }
    out_names[0] = sigma_name;
    return 1;
}

bool mapping_usual_kind(struct text field, enum entity_kind *out)
{
    static const struct {
        const char *name; /* without case */
        enum entity_kind kind;
    } usual[] = {
        {"ip", ENTITY_ADDRESS},
        {"addr", ENTITY_ADDRESS},
        {"address", ENTITY_ADDRESS},
        {"src_ip", ENTITY_ADDRESS},
        {"srcip", ENTITY_ADDRESS},
        {"source_ip", ENTITY_ADDRESS},
        {"source.ip", ENTITY_ADDRESS},
        {"src_addr", ENTITY_ADDRESS},
        {"src_address", ENTITY_ADDRESS},
        {"source_address", ENTITY_ADDRESS},
        {"saddr", ENTITY_ADDRESS},
        {"c-ip", ENTITY_ADDRESS},
        {"client_ip", ENTITY_ADDRESS},
        {"clientip", ENTITY_ADDRESS},
        {"client.ip", ENTITY_ADDRESS},
        {"client_addr", ENTITY_ADDRESS},
        {"client_address", ENTITY_ADDRESS},
        {"ClientAddress", ENTITY_ADDRESS},
        {"remote_ip", ENTITY_ADDRESS},
        {"remoteip", ENTITY_ADDRESS},
        {"remote_addr", ENTITY_ADDRESS},
        {"remote_address", ENTITY_ADDRESS},
        {"peer_ip", ENTITY_ADDRESS},
        {"peer_addr", ENTITY_ADDRESS},
        {"ip_address", ENTITY_ADDRESS},
        {"ip_addr", ENTITY_ADDRESS},
        {"IpAddress", ENTITY_ADDRESS},
        {"ipaddr", ENTITY_ADDRESS},
        {"SourceIp", ENTITY_ADDRESS},
        {"SourceIpAddress", ENTITY_ADDRESS},
        {"callerIpAddress", ENTITY_ADDRESS},
        {"CallerIP", ENTITY_ADDRESS},
        {"src_host", ENTITY_ADDRESS},
        {"id.orig_h", ENTITY_ADDRESS},
        {"id.resp_h", ENTITY_ADDRESS},
        {"rhost", ENTITY_ADDRESS},
        {"dst_ip", ENTITY_ADDRESS},
        {"dstip", ENTITY_ADDRESS},
        {"dest_ip", ENTITY_ADDRESS},
        {"destination_ip", ENTITY_ADDRESS},
        {"destination.ip", ENTITY_ADDRESS},
        {"dst_addr", ENTITY_ADDRESS},
        {"daddr", ENTITY_ADDRESS},
        {"DestinationIp", ENTITY_ADDRESS},
        {"host", ENTITY_HOST},
        {"host.name", ENTITY_HOST},
        {"hostname", ENTITY_HOST},
        {"host_name", ENTITY_HOST},
        {"Computer", ENTITY_HOST},
        {"ComputerName", ENTITY_HOST},
        {"computer_name", ENTITY_HOST},
        {"instance", ENTITY_HOST},
        {"node", ENTITY_HOST},
        {"workstation", ENTITY_HOST},
        {"WorkstationName", ENTITY_HOST},
        {"device_name", ENTITY_HOST},
        {"dvchost", ENTITY_HOST},
        {"user", ENTITY_USER},
        {"user.name", ENTITY_USER},
        {"username", ENTITY_USER},
        {"user_name", ENTITY_USER},
        {"userid", ENTITY_USER},
        {"user_id", ENTITY_USER},
        {"target_user", ENTITY_USER},
        {"src_user", ENTITY_USER},
        {"dst_user", ENTITY_USER},
        {"subject_user", ENTITY_USER},
        {"suser", ENTITY_USER},
        {"duser", ENTITY_USER},
        {"cs-username", ENTITY_USER},
        {"SubjectUserName", ENTITY_USER},
        {"TargetUserName", ENTITY_USER},
        {"AccountName", ENTITY_USER},
        {"account", ENTITY_USER},
        {"account_name", ENTITY_USER},
        {"login", ENTITY_USER},
        {"login_name", ENTITY_USER},
        {"logname", ENTITY_USER},
        {"UserPrincipalName", ENTITY_USER},
        {"user.email", ENTITY_USER},
        {"email", ENTITY_USER},
        {"service", ENTITY_SERVICE},
        {"service.name", ENTITY_SERVICE},
        {"service_name", ENTITY_SERVICE},
        {"unit", ENTITY_SERVICE},
        {"ServiceName", ENTITY_SERVICE},
    };
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (text_equal_nocase(field, text_of(usual[i].name))) {
            *out = usual[i].kind;
            return true;
        }
    return false;
}

/* ---- events ---- */

/* The slot of a watched name + 1, or 0. */
static uint32_t slot_of(const struct mapping_set *s, uint64_t hash)
{
    const uint32_t bit = (uint32_t)(hash >> 32) % MAPPING_FILTER;
    if (!(s->filter[bit / 64] >> (bit % 64) & 1))
        return 0;
    uint32_t place = (uint32_t)hash & s->watch_mask;
    while (s->watch[place].slot && s->watch[place].hash != hash)
        place = (place + 1) & s->watch_mask;
    return s->watch[place].slot;
}

bool mapping_reads(const struct mapping_set *s, uint64_t hash)
{
    return slot_of(s, hash) != 0;
}

static void see(struct mapping_seen *seen, uint32_t slot, const struct field *f)
{
    seen->has[slot / 64] |= UINT64_C(1) << (slot % 64);
    seen->fields[slot] = f;
}

static void open_gates(const struct mapping_set *s, uint32_t slot, uint64_t *open)
{
    const struct mapping_guard *guard = &s->guards[slot];
    for (uint32_t j = 0; j < guard->count; j++)
        open[guard->gates[j] / 64] |= UINT64_C(1) << (guard->gates[j] % 64);
}

/* What the envelope says, where no field of the event does. */
static void look_around(const struct mapping_set *s, const struct event *event,
                        struct field headers[MAPPING_HEADERS], struct mapping_seen *seen,
                        uint64_t *open)
{
    for (uint32_t i = 0; i < s->header_count; i++) {
        const struct mapping_header *header = &s->headers[i];
        const struct text value = mapping_envelope_value(header->which, event);
        if (!value.len || mapping_seen_field(seen, header->slot))
            continue;
        headers[i] = (struct field){.value = value, .hash = header->hash};
        see(seen, header->slot, &headers[i]);
        open_gates(s, header->slot, open);
    }
}

/* A list stands before its members, which are what conditions are about. */
static bool is_told(const struct mapping_seen *seen, uint32_t slot)
{
    const struct field *f = mapping_seen_field(seen, slot);
    return f && f->type != VALUE_OBJECT;
}

/* The first value of each watched name, and the gates that these open. */
static void look(const struct mapping_set *s, const struct event *event, struct mapping_seen *seen,
                 uint64_t *open)
{
    for (uint32_t i = 0; i < event->field_count; i++) {
        const uint32_t found = slot_of(s, event->fields[i].hash);
        if (!found || is_told(seen, found - 1))
            continue;
        const uint32_t slot = found - 1;
        see(seen, slot, &event->fields[i]);
        open_gates(s, slot, open);
    }
}

static bool has_source(const struct event *event, const struct logsource *wanted)
{
    for (uint32_t i = 0; i < event->logsource_count; i++)
        if (text_equal(event->logsources[i].category, wanted->category) &&
            text_equal(event->logsources[i].product, wanted->product) &&
            text_equal(event->logsources[i].service, wanted->service))
            return true;
    return false;
}

static void add_sources(const struct mapping *m, const struct mapping_seen *seen,
                        struct event *event)
{
    uint16_t candidates[MAPPING_CANDIDATES];
    const uint32_t count = mapping_dispatch_find(m, seen, candidates);
    for (uint32_t i = 0; i < count && event->logsource_count < EVENT_LOGSOURCES; i++) {
        const struct mapping_source *source = &m->sources[candidates[i]];
        if (mapping_match_clause(&source->rest, seen) && !has_source(event, &source->source))
            event->logsources[event->logsource_count++] = source->source;
    }
}

bool mapping_set_time(const struct mapping_set *s, struct event *event, struct arena *arena)
{
    const struct mapping *m = at(s, event->mapping);
    return !m || !m->times.count ||
           own_time_apply(&m->times, 0, event, arena) != OWN_TIME_UNREADABLE;
}

static uint32_t find_inner(const struct mapping *m, const struct mapping_seen *seen)
{
    uint32_t inner = 0;
    for (uint32_t i = 0; i < m->inner_count; i++)
        if (mapping_seen_field(seen, m->inner[i].slot) &&
            mapping_match_when(&m->inner[i].when, seen))
            inner |= UINT32_C(1) << i;
    return inner;
}

void mapping_apply(const struct mapping_set *s, struct event *event)
{
    if ((!event->field_count && !event->is_partial) || !s->count)
        return;
    struct mapping_seen seen;
    uint64_t open[MAPPING_CLAUSES / 64];
    memset(seen.has, 0, sizeof seen.has);
    memcpy(open, s->always, sizeof open);
    struct field headers[MAPPING_HEADERS];
    look(s, event, &seen, open);
    look_around(s, event, headers, &seen, open);
    event->mapping = mapping_gate_find(s, open, &seen);
    if (!event->mapping)
        return;
    add_sources(s->mappings[event->mapping - 1], &seen, event);
    event->inner = find_inner(s->mappings[event->mapping - 1], &seen);
}

/* ---- names ---- */

void mapping_tell_names(const struct mapping_set *s, uint32_t index,
                        void (*tell)(void *context, struct text name), void *context)
{
    const struct mapping *m = s->mappings[index - 1];
    for (uint32_t i = 0; i < m->field_count; i++) {
        tell(context, m->fields[i].name);
        for (uint32_t t = 0; t < m->fields[i].targets.count; t++)
            tell(context, m->fields[i].targets.items[t]);
    }
    for (uint32_t i = 0; i < m->entity_count; i++)
        tell(context, m->entities[i].field);
}
