/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/memo.h"
#include "base/hash.h"
#include <stdlib.h>

enum { TRUST_MOST = 64, TRY_EVERY = 64 };

struct memo {
    struct memo_entry *entries;
    /* By field: rises with each value that was known, falls with each that was not; below 0 the
     * field rests until it has fallen by TRY_EVERY. */
    int8_t *trust;
};

void memo_free(struct memo *m)
{
    if (!m)
        return;
    free(m->entries);
    free(m->trust);
    free(m);
}

enum status memo_new(uint32_t fields, struct memo **out, struct error *err)
{
    AUTO(memo) m = calloc(1, sizeof *m);
    if (m) {
        m->entries = calloc(MEMO_ENTRIES, sizeof *m->entries);
        m->trust = calloc((size_t)fields + 1, sizeof *m->trust);
    }
    if (!m || !m->entries || !m->trust)
        return error_set(err, STATUS_NOMEM, 0, "no memory to remember values");
    *out = MOVE(m);
    return STATUS_OK;
}

static bool is_resting(int8_t *trust)
{
    if (*trust >= 0)
        return false;
    if (--*trust < -TRY_EVERY)
        *trust = 0;
    return *trust < 0;
}

static bool is_same(const struct memo_entry *e, const struct memo_entry *wanted, struct text raw)
{
    return e->hash == wanted->hash && e->field == wanted->field && e->len == wanted->len &&
           e->kind == wanted->kind && memcmp(e->value, raw.at, raw.len) == 0;
}

struct memo_entry *memo_find(struct memo *m, uint32_t field, const struct fieldview_value *value,
                             bool *out_is_known)
{
    int8_t *trust = &m->trust[field];
    const struct text raw = value->raw;
    if (raw.len > MEMO_VALUE || !raw.len || is_resting(trust))
        return NULL;
    const struct memo_entry wanted = {
        .hash = hash_seeded(raw.at, raw.len, field),
        .field = field + 1,
        .len = (uint16_t)raw.len,
        .kind = (uint8_t)(value->type * 2U + value->is_escaped),
    };
    struct memo_entry *e = &m->entries[wanted.hash % MEMO_ENTRIES];
    *out_is_known = is_same(e, &wanted, raw);
    if (*out_is_known) {
        *trust = (int8_t)(*trust < TRUST_MOST ? *trust + 2 : TRUST_MOST);
        return e;
    }
    --*trust;
    e->hash = wanted.hash;
    e->field = wanted.field;
    e->len = wanted.len;
    e->kind = wanted.kind;
    e->count = 0;
    memcpy(e->value, raw.at, raw.len);
    return e;
}

void memo_add(struct memo_entry *e, uint32_t atom)
{
    if (e->count == MEMO_ATOMS)
        memo_forget(e);
    else if (e->field)
        e->atoms[e->count++] = atom;
}

void memo_forget(struct memo_entry *e)
{
    e->field = 0;
}
