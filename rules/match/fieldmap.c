/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/fieldmap.h"

static enum envelope envelope_of(struct text name, bool *out_is_header)
{
    static const struct {
        const char *name;
        enum envelope which;
    } known[] = {
        {"host", ENVELOPE_HOST},         {"program", ENVELOPE_PROGRAM},
        {"pid", ENVELOPE_PID},           {"msgid", ENVELOPE_MSGID},
        {"facility", ENVELOPE_FACILITY}, {"severity", ENVELOPE_SEVERITY},
        {"message", ENVELOPE_MESSAGE},   {"peer", ENVELOPE_PEER},
    };
    *out_is_header = text_starts(name, TEXT("syslog."));
    if (*out_is_header)
        name = text_skip(name, 7);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(name, text_of(known[i].name)))
            return known[i].which;
    return ENVELOPE_NONE;
}

bool fieldmap_reads(const struct fieldmap *map, struct text name, uint64_t hash)
{
    for (uint64_t at = hash & map->mask; map->entries[at].name.len; at = (at + 1) & map->mask)
        if (map->entries[at].hash == hash && text_equal(map->entries[at].name, name))
            return true;
    return false;
}

static void put(struct fieldmap *map, struct text name, uint32_t field, uint32_t rank)
{
    uint64_t hash = event_name_hash(name);
    uint64_t at = hash & map->mask;
    while (map->entries[at].name.len)
        at = (at + 1) & map->mask;
    map->entries[at] = (struct fieldmap_entry){hash, name, field, rank};
}

static enum status build_one(const struct names *names, const struct mapping_set *set,
                             uint32_t index, struct arena *arena, struct fieldmap *out)
{
    uint32_t count = names_count(names);
    uint32_t size = 64;
    uint32_t total = 0;
    struct text found[MAPPING_NAMES];
    for (uint32_t i = 1; i < count; i++)
        total += mapping_resolve(set, index, names_text(names, i), arena, found);
    while (size < 2 * total)
        size *= 2;
    out->mask = size - 1;
    out->entries = arena_zero(arena, size * sizeof *out->entries);
    out->headers = arena_alloc(arena, ((size_t)total + 1) * sizeof *out->headers);
    if (!out->entries || !out->headers)
        return STATUS_NOMEM;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t names_found = mapping_resolve(set, index, names_text(names, i), arena, found);
        for (uint32_t rank = 0; rank < names_found; rank++) {
            bool is_header = false;
            enum envelope which = envelope_of(found[rank], &is_header);
            if (which != ENVELOPE_NONE)
                out->headers[out->header_count++] = (struct fieldmap_header){i, rank, which};
            if (!is_header && found[rank].len)
                put(out, found[rank], i, rank);
        }
    }
    return STATUS_OK;
}

enum status fieldmap_build(const struct names *names, const struct mapping_set *set,
                           struct arena *arena, struct fieldmap **out, uint32_t *out_count,
                           struct error *err)
{
    uint32_t count = mapping_count(set) + 1;
    struct fieldmap *maps = arena_zero(arena, count * sizeof *maps);
    if (!maps)
        return error_set(err, STATUS_NOMEM, 0, "no memory for field names");
    for (uint32_t i = 0; i < count; i++)
        if (build_one(names, set, i, arena, &maps[i]) != STATUS_OK)
            return error_set(err, STATUS_NOMEM, 0, "no memory for field names");
    *out = maps;
    *out_count = count;
    return STATUS_OK;
}
