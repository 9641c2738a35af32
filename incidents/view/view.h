/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/incidents.h"
#include "incidents/model/doc_tree.h"
#include "incidents/store/ledger.h"
#include "incidents/store/redis.h"

/* What the readers of the record share: a connection that is opened again when it broke, and the
 * ledger as a stream of records. */
struct view {
    struct redis *redis; /* NULL: to be opened */
    char *socket, *url;
    struct arena arena; /* of the call at hand */
    struct buffer wire;
};

enum { VIEW_BYTES = 256 << 20, VIEW_PAGE = 500 };

/* One command; the reply lives in v->arena. IO where Redis is away, also for its error replies. */
NODISCARD enum status view_ask(struct view *v, const struct text *words, uint32_t count,
                               struct reply *out, struct error *err);
#define VIEW_ASK(v, out, err, ...)                                                                 \
    view_ask((v), (const struct text[]){__VA_ARGS__},                                              \
             sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text), (out), (err))

/* Each record of the ledger in order, with the hash that is stored beside it; stops when `see`
 * gives anything but OK, and gives that. */
typedef enum status (*view_ledger_fn)(void *context, uint64_t sequence, struct text record,
                                      struct text hash);
NODISCARD enum status view_ledger(struct view *v, view_ledger_fn see, void *context,
                                  struct error *err);
