/* SPDX-License-Identifier: Apache-2.0 */
#include "base/event.h"
#include "base/json_scan.h"
#include "ingest/ingest.h"
#include <assert.h>
#include <stdlib.h>

/* The first byte picks the path. Whatever the body is: the reply has a status, nothing is stored
 * from a request that is rejected as a whole, and every stored record of format JSON is an object
 * that the event path reads; an alert has what incidents need. */

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char *const paths[][2] = {
    {"/api/v1/events", "application/json"},
    {"/api/v1/events", "text/plain"},
    {"/webhooks/alertmanager", "application/json"},
    {"/api/v2/alerts", "application/json"},
    {"/v2/enqueue", "application/json"},
    {"/v2/change/enqueue", "application/json"},
    {"/generic/2010-04-15/create_event.json", "application/json"},
    {"/v2/alerts", "application/json"},
    {"/v2/alerts/some/close", "application/json"},
    {"/webhooks/cloudevents", "application/cloudevents+json"},
    {"/webhooks/cloudevents", "application/cloudevents-batch+json"},
    {"/webhooks/cloudevents", "application/octet-stream"},
    {"/services/collector", "application/json"},
    {"/services/collector/raw", "text/plain"},
    {"/gelf", "application/json"},
    {"/v1/logs", "application/json"},
    {"/loki/api/v1/push", "application/json"},
    {"/_bulk", "application/x-ndjson"},
    {"/elastic/some/_bulk", "application/x-ndjson"},
};

static struct text header(void *context, const char *name)
{
    (void)context;
    return text_starts(text_of(name), TEXT("ce-")) ? TEXT("1.0") : TEXT_NONE;
}

static void check_record(const struct record *r, struct arena *arena)
{
    struct event e = {0};
    size_t at = 0;
    if (r->format != FORMAT_JSON)
        return;
    event_reset(&e, r);
    enum status status = json_scan(r->raw, NULL, arena, &e, &at);
    assert(status == STATUS_OK || status == STATUS_LIMIT);
    if (r->kind == RECORD_ALERT) {
        assert(event_field(&e, TEXT("integration")) && event_field(&e, TEXT("key")));
        assert(event_field(&e, TEXT("group")) && event_field(&e, TEXT("status")));
        assert(event_field(&e, TEXT("severity")) && event_field(&e, TEXT("is_heartbeat")));
    }
    event_fini(&e);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct webhooks *w = NULL;
    struct webhook_reply reply = {0};
    struct arena arena;
    if (size < 1)
        return 0;
    char *body = malloc(size);
    struct batch *b = batch_new();
    const enum status opened = webhooks_open(NULL, 0, &w, NULL);
    assert(body && b && opened == STATUS_OK);
    memcpy(body, data + 1, size - 1);
    const char *const *path = paths[data[0] % (sizeof paths / sizeof *paths)];
    const struct webhook_request q = {.method = TEXT("POST"),
                                      .path = text_of(path[0]),
                                      .content_type = text_of(path[1]),
                                      .body = {body, size - 1},
                                      .header = header};
    bool is_stored = webhooks_take(w, &q, b, &reply);
    assert(reply.status >= 200 && reply.status < 500);
    assert(is_stored == (b->count > 0));
    arena_init(&arena, 64 << 20);
    for (uint32_t i = 0; i < b->count; i++)
        check_record(&b->records[i], &arena);
    arena_fini(&arena);
    webhooks_free(w);
    batch_free(b);
    buffer_fini(&reply.body);
    free(body);
    return 0;
}
