/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/changes.h"
#include "base/timestamp.h"
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

enum status changes_load(struct changes *changes, struct incident_store *store, struct error *err)
{
    struct arena arena;
    struct reply last = {0};
    struct ledger *ledger = &changes->ledger;
    arena_init(&arena, 8 << 20);
    *ledger = (struct ledger){0};
    enum status status =
        STORE_ASK(store, &arena, &last, err, TEXT("XREVRANGE"), TEXT("tocsin:ledger"), TEXT("+"),
                  TEXT("-"), TEXT("COUNT"), TEXT("1"));
    if (!status && last.count == 1 && last.items[0].count == 2) {
        const struct reply *fields = &last.items[0].items[1];
        struct text id = last.items[0].items[0].text;
        int64_t sequence = 0;
        if (fields->count != 4 || !ledger_from_hex(fields->items[3].text, ledger->head) ||
            !text_to_int64(text_head(id, text_find_byte(id, '-')), &sequence))
            status = error_set(err, STATUS_INVALID, 0, "the ledger's last record is damaged");
        ledger->sequence = (uint64_t)sequence;
    }
    arena_fini(&arena);
    return status;
}
