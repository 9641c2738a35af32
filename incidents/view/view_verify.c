/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "incidents/store/ledger_head.h"
#include "incidents/view/view.h"
#include <string.h>

/*
 * A chain shows edits and holes, but not what is missing at its end, nor that all of it was written
 * anew. That is asked of others: the running program, tocsin:head, and what the stream says was
 * added. They are asked first: what is added meanwhile is only more.
 */
struct verdict {
    struct ledger live, kept; /* must be in the chain; sequence 0: not known */
    uint64_t added, generated, incidents;
    uint64_t records, bad;
    const char *why;
    unsigned char head[LEDGER_HASH];
};

static bool is_other(const struct verdict *v, const struct ledger *known, uint64_t sequence)
{
    return known->sequence == sequence && memcmp(known->head, v->head, LEDGER_HASH) != 0;
}

static enum status verify_one(void *context, uint64_t sequence, struct text record,
                              struct text hash)
{
    struct verdict *v = context;
    unsigned char stored[LEDGER_HASH], before[LEDGER_HASH];
    memcpy(before, v->head, sizeof before);
    ledger_hash(before, record, v->head);
    if (sequence != v->records + 1)
        v->why = "records are missing before it";
    else if (!ledger_from_hex(hash, stored) || memcmp(stored, v->head, sizeof stored) != 0)
        v->why = "its bytes are not those that were recorded";
    else if (is_other(v, &v->live, sequence))
        v->why = "it is not what the running program wrote: the chain was written anew";
    else if (is_other(v, &v->kept, sequence))
        v->why = "it is not what was kept as its head: the chain was written anew";
    if (v->why) {
        v->bad = sequence;
        return STATUS_CONFLICT;
    }
    v->records++;
    return STATUS_OK;
}

static void check_end(struct verdict *v)
{
    if (v->live.sequence > v->records)
        v->why = "it and what follows is missing: the running program wrote more";
    else if (v->kept.sequence > v->records)
        v->why = "it and what follows is missing: what was kept as the head is later";
    else if (v->generated > v->records || v->added > v->records)
        v->why = "it and what follows is missing: Redis says that more was added";
    else if (!v->records && v->incidents)
        v->why = "there are incidents and no record of them: the ledger was deleted";
    if (v->why)
        v->bad = v->records + 1;
}

static enum status ask_others(struct view *v, struct verdict *verdict, struct error *err)
{
    struct reply head = {0}, is_there = {0}, info = {0}, incidents = {0};
    arena_reset(&v->arena);
    enum status s = VIEW_ASK(v, &head, err, TEXT("GET"), TEXT("tocsin:head"));
    if (s == STATUS_OK && head.kind == REPLY_TEXT)
        (void)ledger_head_parse(head.text, &verdict->kept);
    if (s == STATUS_OK)
        s = VIEW_ASK(v, &incidents, err, TEXT("ZCARD"), TEXT("tocsin:index"));
    if (s == STATUS_OK)
        s = VIEW_ASK(v, &is_there, err, TEXT("EXISTS"), TEXT("tocsin:ledger"));
    verdict->incidents = incidents.integer > 0 ? (uint64_t)incidents.integer : 0;
    if (s != STATUS_OK || !is_there.integer)
        return s;
    s = VIEW_ASK(v, &info, err, TEXT("XINFO"), TEXT("STREAM"), TEXT("tocsin:ledger"));
    const struct reply *added = ledger_head_info(&info, "entries-added");
    const struct reply *generated = ledger_head_info(&info, "last-generated-id");
    verdict->added = added && added->integer > 0 ? (uint64_t)added->integer : 0;
    verdict->generated = generated ? ledger_head_sequence_of(generated->text) : 0;
    return s;
}

static void write_head(struct buffer *out, const char *name, const struct ledger *ledger)
{
    char hex[LEDGER_HEX + 1];
    if (!ledger->sequence)
        return;
    ledger_to_hex(ledger->head, hex);
    json_write_open(out, name, '{');
    json_write_uint(out, "sequence", ledger->sequence);
    json_write_string(out, "head", (struct text){hex, LEDGER_HEX});
    json_write_close(out, '}');
}

static void write_verdict(const struct verdict *v, struct buffer *out)
{
    char hex[LEDGER_HEX + 1];
    ledger_to_hex(v->head, hex);
    json_write_open(out, NULL, '{');
    json_write_uint(out, "records", v->records);
    json_write_bool(out, "ok", !v->why);
    if (v->why) {
        json_write_uint(out, "first_bad", v->bad);
        json_write_string(out, "because", text_of(v->why));
    } else {
        json_write_string(out, "head", (struct text){hex, LEDGER_HEX});
    }
    write_head(out, "live", &v->live);
    write_head(out, "kept", &v->kept);
    json_write_uint(out, "entries_added", v->added);
    json_write_string(out, "not_shown",
                      v->live.sequence
                          ? TEXT("whether all of it was replaced before this program started: "
                                 "compare a head that was kept elsewhere")
                          : TEXT("whether all of it was replaced: compare a head that was kept "
                                 "elsewhere"));
    json_write_close(out, '}');
}

enum status view_verify(struct view *v, const struct incidents_head *live, struct buffer *out,
                        struct error *err)
{
    struct verdict verdict = {0};
    if (live && live->sequence && ledger_from_hex(text_of(live->hash), verdict.live.head))
        verdict.live.sequence = live->sequence;
    enum status s = ask_others(v, &verdict, err);
    if (s == STATUS_OK)
        s = view_ledger(v, verify_one, &verdict, err);
    if (s != STATUS_OK && s != STATUS_CONFLICT)
        return s;
    if (!verdict.why)
        check_end(&verdict);
    write_verdict(&verdict, out);
    return STATUS_OK;
}
