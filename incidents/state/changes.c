/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/changes.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include <stdio.h>

enum { SCRATCH_BYTES = 16 << 20, TEXT_BYTES = 4 << 20, RECORD_BYTES = 1 << 20 };

void changes_init(struct changes *changes, bool is_dry, struct counters *counters)
{
    *changes =
        (struct changes){.journal_us = TIMESTAMP_NONE, .is_dry = is_dry, .counters = counters};
    arena_init(&changes->scratch, SCRATCH_BYTES);
    buffer_init(&changes->text, TEXT_BYTES);
}

void changes_fini(struct changes *changes)
{
    effect_free(MOVE(changes->effect));
    arena_fini(&changes->scratch);
    buffer_fini(&changes->text);
}

void changes_clear(struct changes *changes)
{
    effect_free(MOVE(changes->effect));
    changes->is_urgent = false;
    changes->journal_us = TIMESTAMP_NONE;
}

struct effect *changes_effect(struct changes *changes)
{
    if (!changes->effect)
        changes->effect = effect_new(changes->is_dry);
    if (!changes->effect)
        COUNT(changes->counters, no_memory);
    return changes->effect;
}

bool changes_is_empty(const struct changes *changes)
{
    return !changes->effect || effect_is_empty(changes->effect);
}

struct text changes_join(struct changes *changes, const struct text *texts, size_t count)
{
    size_t len = 0;
    for (size_t t = 0; t < count; t++)
        len += texts[t].len;
    char *at = arena_bytes(&changes->scratch, len + 1);
    if (!at)
        return TEXT_NONE;
    len = 0;
    for (size_t t = 0; t < count; t++) {
        if (texts[t].len)
            memcpy(at + len, texts[t].at, texts[t].len);
        len += texts[t].len;
    }
    at[len] = 0;
    return (struct text){at, len};
}

struct text changes_digits(int64_t value, char out[CHANGES_DIGITS])
{
    int len = snprintf(out, CHANGES_DIGITS, "%lld", (long long)value);
    return (struct text){out, (size_t)len};
}

void changes_record(struct changes *changes, const struct ledger_entry *entry)
{
    struct buffer record;
    char hex[LEDGER_HEX + 1], sequence[CHANGES_DIGITS];
    struct effect *effect = changes_effect(changes);
    if (!effect)
        return;
    buffer_init(&record, RECORD_BYTES);
    ledger_append(&changes->ledger, entry, &record, hex);
    (void)snprintf(sequence, sizeof sequence, "%llu-0",
                   (unsigned long long)changes->ledger.sequence);
    EFFECT(effect, TEXT("XADD"), TEXT("tocsin:ledger"), text_of(sequence), TEXT("r"),
           buffer_text(&record), TEXT("h"), {hex, LEDGER_HEX});
    if (entry->incident.len)
        EFFECT(effect, TEXT("RPUSH"), CHANGES_JOIN(changes, TEXT("tocsin:trail:"), entry->incident),
               text_of(sequence));
    buffer_fini(&record);
    changes->is_urgent = true;
}

void changes_save(struct changes *changes)
{
    char text[LEDGER_HEX + 24];
    struct effect *effect =
        changes->headed == changes->ledger.sequence ? NULL : changes_effect(changes);
    if (!effect)
        return;
    EFFECT(effect, TEXT("SET"), TEXT("tocsin:head"), ledger_head_write(&changes->ledger, text));
    changes->headed = changes->ledger.sequence;
}

static void record_damage(struct changes *changes)
{
    const struct ledger_end *end = &changes->end;
    struct buffer data;
    log_line(
        LOG_ERROR,
        "the ledger is not what was recorded: it ends with %llu and must with %llu; it goes on "
        "behind that, `tocsin verify` names the first bad record",
        (unsigned long long)end->last.sequence, (unsigned long long)end->goes_on.sequence);
    buffer_init(&data, 4096);
    json_write_open(&data, NULL, '{');
    json_write_uint(&data, "found", end->last.sequence);
    json_write_uint(&data, "expected", end->goes_on.sequence);
    json_write_close(&data, '}');
    changes_record(changes, &(struct ledger_entry){.kind = "ledger.damaged",
                                                   .time_us = wall_clock_us(),
                                                   .data = buffer_text(&data)});
    buffer_fini(&data);
}

enum status changes_load(struct changes *changes, struct incident_store *store, struct error *err)
{
    struct arena arena;
    arena_init(&arena, 8 << 20);
    enum status status = ledger_head_end_read(store, &arena, &changes->end, err);
    arena_fini(&arena);
    changes->ledger = changes->end.goes_on;
    changes->headed = changes->end.head.sequence;
    store->ledger = changes->end.last;
    if (!status && changes->end.is_damaged)
        record_damage(changes);
    return status;
}
