/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/json_split.h"
#include "ingest/webhook/webhook_types.h"

/* Graylog's GELF over HTTP: one object, or several as newer ones take them. Each is kept as it was
 * sent; all of a request or nothing. */

static bool add_messages(struct webhook_call *call)
{
    struct text rest = call->request->body;
    struct text source;
    while (json_split_next(&rest, &source)) {
        AUTO(json_tree) tree = NULL;
        uint64_t held = 0;
        if (webhook_parse(call, source, &tree, &held, NULL) != STATUS_OK)
            return false;
        const bool is_added = webhook_add_event(call, source, FORMAT_JSON, TEXT_NONE);
        webhook_release(call, held);
        if (!is_added)
            return false;
    }
    return !rest.len;
}

static void take(struct webhook_call *call)
{
    if (text_trim(call->request->body).len && webhook_add_whole(call, add_messages)) {
        webhook_answer(call, 202, TEXT_NONE);
        return;
    }
    const bool is_too_many = call->refused > 0;
    call->refused = 0;
    webhook_reject(call, WEBHOOK_PLAIN, is_too_many ? 413 : 400,
                   is_too_many ? webhook_too_many(call) : "want a GELF message: a JSON object");
}

static const struct webhook_route routes[] = {
    {"POST", "/gelf", WEBHOOK_PLAIN, false, take},
};

const struct webhook_type webhook_gelf_type = {"gelf", routes, sizeof routes / sizeof *routes};
