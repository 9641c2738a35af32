/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/store/incident_store.h"

enum status incident_store_ask(struct incident_store *store, struct arena *arena,
                               const struct text *words, uint32_t count, struct reply *out,
                               struct error *err)
{
    enum status status = store->calls->ask(store, words, count, arena, out);
    if (status)
        return error_set(err, status, 0, "Redis did not answer while the incidents were read");
    if (out->kind == REPLY_ERROR)
        return error_set(err, STATUS_IO, 0, "Redis refused %.*s: %.*s", TEXT_ARG(words[0]),
                         TEXT_ARG(text_head(out->text, 120)));
    return STATUS_OK;
}

enum status incident_store_read_hash(struct incident_store *store, struct text key,
                                     incident_store_pair_fn take, void *context, struct error *err)
{
    struct arena arena;
    struct reply all = {0};
    arena_init(&arena, INCIDENT_STORE_ANSWER);
    enum status status = STORE_ASK(store, &arena, &all, err, TEXT("HGETALL"), key);
    for (uint32_t k = 0; !status && k + 1 < all.count; k += 2) {
        status = take(context, all.items[k].text, all.items[k + 1].text);
        if (status == STATUS_NOMEM)
            (void)error_set(err, status, 0, "no memory for %.*s", TEXT_ARG(key));
    }
    arena_fini(&arena);
    return status;
}
