/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/store/ledger_head.h"
#include <stdio.h>
#include <string.h>

uint64_t ledger_head_sequence_of(struct text id)
{
    int64_t sequence = 0;
    (void)text_to_int64(text_head(id, text_find_byte(id, '-')), &sequence);
    return sequence > 0 ? (uint64_t)sequence : 0;
}

const struct reply *ledger_head_info(const struct reply *info, const char *name)
{
    for (uint32_t m = 0; m + 1 < info->count; m += 2)
        if (text_equal(info->items[m].text, text_of(name)))
            return &info->items[m + 1];
    return NULL;
}

bool ledger_head_parse(struct text text, struct ledger *out)
{
    size_t space = text_find_byte(text, ' ');
    int64_t sequence = 0;
    if (space >= text.len || !text_to_int64(text_head(text, space), &sequence) || sequence < 1)
        return false;
    out->sequence = (uint64_t)sequence;
    return ledger_from_hex(text_skip(text, space + 1), out->head);
}

struct text ledger_head_write(const struct ledger *ledger, char out[LEDGER_HEX + 24])
{
    char hex[LEDGER_HEX + 1];
    ledger_to_hex(ledger->head, hex);
    int len = snprintf(out, LEDGER_HEX + 24, "%llu %s", (unsigned long long)ledger->sequence, hex);
    return (struct text){out, (size_t)len};
}

static enum status read_last(struct incident_store *store, struct arena *arena,
                             struct ledger_end *out, struct error *err)
{
    struct reply last = {0};
    enum status status =
        STORE_ASK(store, arena, &last, err, TEXT("XREVRANGE"), TEXT("tocsin:ledger"), TEXT("+"),
                  TEXT("-"), TEXT("COUNT"), TEXT("1"));
    if (status || last.count != 1 || last.items[0].count != 2)
        return status;
    const struct reply *fields = &last.items[0].items[1];
    if (fields->count != 4 || !ledger_from_hex(fields->items[3].text, out->last.head))
        return error_set(err, STATUS_INVALID, 0, "the ledger's last record is damaged");
    out->last.sequence = ledger_head_sequence_of(last.items[0].items[0].text);
    return STATUS_OK;
}

/* Also of a stream that is empty: what was deleted was added once. */
static enum status read_generated(struct incident_store *store, struct arena *arena,
                                  struct ledger_end *out, struct error *err)
{
    struct reply is_there = {0}, info = {0};
    enum status status =
        STORE_ASK(store, arena, &is_there, err, TEXT("EXISTS"), TEXT("tocsin:ledger"));
    if (status || !is_there.integer)
        return status;
    status =
        STORE_ASK(store, arena, &info, err, TEXT("XINFO"), TEXT("STREAM"), TEXT("tocsin:ledger"));
    const struct reply *generated = ledger_head_info(&info, "last-generated-id");
    out->generated = generated ? ledger_head_sequence_of(generated->text) : 0;
    return status;
}

enum status ledger_head_end_read(struct incident_store *store, struct arena *arena,
                                 struct ledger_end *out, struct error *err)
{
    struct reply head = {0};
    *out = (struct ledger_end){0};
    enum status status = read_last(store, arena, out, err);
    if (!status)
        status = read_generated(store, arena, out, err);
    if (!status)
        status = STORE_ASK(store, arena, &head, err, TEXT("GET"), TEXT("tocsin:head"));
    if (status)
        return status;
    bool has_head = head.kind == REPLY_TEXT && ledger_head_parse(head.text, &out->head);
    out->goes_on = has_head && out->head.sequence >= out->last.sequence ? out->head : out->last;
    out->is_damaged = out->generated > out->last.sequence ||
                      (has_head && (out->head.sequence != out->last.sequence ||
                                    memcmp(out->head.head, out->last.head, LEDGER_HASH) != 0));
    if (out->generated > out->goes_on.sequence)
        out->goes_on.sequence = out->generated; /* Redis takes no number twice */
    return STATUS_OK;
}
