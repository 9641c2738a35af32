/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/digest.h"
#include "base/json_write.h"
#include <stdio.h>
#include <stdlib.h>

enum { DIGEST_BYTES = 1 << 20, TITLE_BYTES = 200, LEAST = 5 /* the lowest priority */ };

/* What one destination is told. */
struct part {
    struct text destination;
    bool has_all; /* it asked for digests, and not for openings */
    bool has[STORM_DIGEST + 1];
    uint32_t counts[LEAST + 1]; /* by priority */
    uint32_t count;
};

struct digest {
    struct incident *incidents[STORM_DIGEST + 1]; /* NULL: it is gone */
    uint32_t count;
    int priority; /* of the most urgent */
    struct part *parts;
    uint32_t part_count;
};

static struct part *part_of(struct digest *digest, struct text destination)
{
    for (uint32_t p = 0; p < digest->part_count; p++)
        if (text_equal(digest->parts[p].destination, destination))
            return &digest->parts[p];
    if (digest->part_count == DELIVERY_DESTINATIONS)
        return NULL;
    struct part *part = &digest->parts[digest->part_count++];
    part->destination = destination;
    return part;
}

static void name(struct part *part, const struct digest *digest, uint32_t at)
{
    if (part->has[at])
        return;
    part->has[at] = true;
    part->count++;
    part->counts[digest->incidents[at]->priority]++;
}

/* Where the opening of each would have gone; and all to those who asked for digests alone. */
static void divide(const struct outbox *outbox, struct digest *digest)
{
    struct text found[DELIVERY_DESTINATIONS];
    for (uint32_t i = 0; i < digest->count; i++) {
        const struct incident *incident = digest->incidents[i];
        const struct notice notice = {NOTICE_OPENED, text_of(incident->id), incident->priority,
                                      incident->category, TEXT_NONE};
        uint32_t count = outbox->route(outbox->context, &notice, found);
        for (uint32_t d = 0; d < count && d < DELIVERY_DESTINATIONS; d++) {
            struct part *part = part_of(digest, found[d]);
            if (part)
                name(part, digest, i);
        }
    }
    const struct notice notice = {NOTICE_DIGEST, TEXT_NONE, digest->priority, TEXT("operations"),
                                  TEXT_NONE};
    uint32_t count = outbox->route(outbox->context, &notice, found);
    for (uint32_t d = 0; d < count && d < DELIVERY_DESTINATIONS; d++) {
        bool is_alone = outbox->wants && !outbox->wants(outbox->context, found[d], NOTICE_OPENED);
        struct part *part = is_alone ? part_of(digest, found[d]) : NULL;
        for (uint32_t i = 0; part && i < digest->count; i++)
            name(part, digest, i);
    }
}

static void write_member(const struct incident *incident, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "id", text_of(incident->id));
    buffer_printf(out, ",\"priority\":\"P%d\"", incident->priority);
    json_write_string(out, "state", text_of(incident_state_name(incident->state)));
    if (incident->title)
        json_write_string(out, "title", text_head(text_of(incident->title), TITLE_BYTES));
    json_write_close(out, '}');
}

static int write_title(const struct part *part, struct buffer *out)
{
    int best = 0;
    char title[160];
    int len =
        snprintf(title, sizeof title, "%u incident%s", part->count, part->count == 1 ? "" : "s");
    for (int p = 1; p <= LEAST; p++) {
        if (!part->counts[p])
            continue;
        len += snprintf(title + len, sizeof title - (size_t)len, "%s P%d: %u", best ? "," : ":", p,
                        part->counts[p]);
        best = best ? best : p;
    }
    json_write_string(out, "title", text_of(title));
    buffer_printf(out, ",\"priority\":\"P%d\"", best);
    return best;
}

static void tell(struct outbox *outbox, struct changes *changes, struct tables *tables,
                 const struct digest *digest, const struct part *part)
{
    struct buffer document;
    buffer_init(&document, DIGEST_BYTES);
    json_write_open(&document, NULL, '{');
    json_write_string(&document, "kind", TEXT("digest"));
    json_write_time(&document, "time", changes->journal_us);
    int priority = write_title(part, &document);
    json_write_uint(&document, "incidents", part->count);
    json_write_open(&document, "members", '[');
    for (uint32_t i = 0; i < digest->count; i++)
        if (part->has[i])
            write_member(digest->incidents[i], &document);
    json_write_close(&document, ']');
    json_write_close(&document, '}');
    const struct notice notice = {NOTICE_DIGEST, TEXT_NONE, priority, TEXT("operations"),
                                  buffer_text(&document)};
    const struct outbox_entry *entry =
        document.has_failed ? NULL
                            : outbox_queue_notice(outbox, changes, &notice, part->destination);
    for (uint32_t i = 0; entry && i < digest->count; i++) {
        if (!part->has[i])
            continue;
        telling_queue(&digest->incidents[i]->telling, part->destination, text_of(entry->id));
        tables_touch_incident(tables, digest->incidents[i]);
    }
    buffer_fini(&document);
}

static void record(struct changes *changes, const struct storm *storm)
{
    struct buffer data;
    buffer_init(&data, DIGEST_BYTES);
    json_write_open(&data, NULL, '{');
    json_write_uint(&data, "incidents", storm->digest_count);
    json_write_open(&data, "ids", '[');
    for (uint32_t i = 0; i < storm->digest_count; i++)
        json_write_string(&data, NULL,
                          (struct text){storm->digest.at + (size_t)i * IDENT_LEN, IDENT_LEN});
    json_write_close(&data, ']');
    json_write_close(&data, '}');
    changes_record(changes, &(struct ledger_entry){.kind = "digest",
                                                   .time_us = changes->journal_us,
                                                   .data = buffer_text(&data)});
    buffer_fini(&data);
}

static void find_all(struct digest *digest, const struct storm *storm, const struct tables *tables)
{
    digest->priority = LEAST;
    for (uint32_t i = 0; i < storm->digest_count && digest->count < STORM_DIGEST; i++) {
        struct incident *incident = tables_incident(
            tables, (struct text){storm->digest.at + (size_t)i * IDENT_LEN, IDENT_LEN});
        if (!incident)
            continue;
        digest->incidents[digest->count++] = incident;
        if (incident->priority < digest->priority)
            digest->priority = incident->priority;
    }
}

static void tell_all(struct outbox *outbox, struct changes *changes, struct tables *tables)
{
    struct digest digest = {0};
    digest.parts = calloc(DELIVERY_DESTINATIONS, sizeof *digest.parts);
    if (!digest.parts) {
        COUNT(changes->counters, no_memory);
        return; /* at the next tick */
    }
    find_all(&digest, &outbox->storm, tables);
    record(changes, &outbox->storm);
    COUNT(changes->counters, notices);
    if (outbox->route)
        divide(outbox, &digest);
    for (uint32_t p = 0; p < digest.part_count; p++)
        tell(outbox, changes, tables, &digest, &digest.parts[p]);
    free(digest.parts);
    storm_empty_digest(&outbox->storm);
    struct effect *effect = changes_effect(changes);
    if (effect)
        EFFECT(effect, TEXT("DEL"), TEXT("tocsin:digest"));
}

void digest_tick(struct outbox *outbox, struct changes *changes, struct tables *tables)
{
    storm_tick(&outbox->storm, changes->journal_us);
    if (storm_is_digest_due(&outbox->storm, changes->journal_us))
        tell_all(outbox, changes, tables);
}

/* What a string holds is escaped: no title can look like this. */
bool digest_next(struct text *rest, struct text *out_id)
{
    static const struct text before = {"{\"id\":\"", 7};
    size_t at = text_find(*rest, before);
    if (at >= rest->len)
        return false;
    *out_id = text_head(text_skip(*rest, at + before.len), IDENT_LEN);
    *rest = text_skip(*rest, at + before.len);
    return out_id->len == IDENT_LEN;
}
