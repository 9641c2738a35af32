/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/outbox_entry.h"
#include "base/json_write.h"
#include "incidents/model/incident.h"
#include "incidents/outbox/outbox_queue.h"
#include <stdlib.h>
#include <string.h>

void outbox_entry_free(struct outbox_entry *p)
{
    free(p->document);
    free(p->settled);
    free(p);
}

struct outbox_entry *outbox_entry_new(struct text document)
{
    struct outbox_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->document = malloc(document.len + 1);
    if (!entry->document) {
        free(entry);
        return NULL;
    }
    if (document.len)
        memcpy(entry->document, document.at, document.len);
    entry->document_len = document.len;
    return entry;
}

void outbox_entry_settle(struct outbox_entry *entry, struct text recipient)
{
    size_t len = entry->settled ? strlen(entry->settled) : 0;
    char *longer = realloc(entry->settled, len + recipient.len + 2);
    if (!longer)
        return; /* told again rather than never */
    memcpy(longer + len, recipient.at, recipient.len);
    longer[len + recipient.len] = '\n';
    longer[len + recipient.len + 1] = 0;
    entry->settled = longer;
}

void outbox_entry_write(const struct outbox_entry *entry, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "id", text_of(entry->id));
    json_write_string(out, "destination", text_of(entry->queue->name));
    if (entry->incident[0])
        json_write_string(out, "incident", text_of(entry->incident));
    json_write_string(out, "kind", text_of(incidents_notice_name(entry->kind)));
    json_write_int(out, "priority", entry->priority);
    json_write_uint(out, "attempts", entry->attempts);
    json_write_string(out, "state", text_of(delivery_state_name(entry->state)));
    json_write_int(out, "due", entry->due_us);
    json_write_int(out, "queued", entry->queued_us);
    json_write_uint(out, "order", entry->order);
    if (entry->settled)
        json_write_string(out, "settled", text_of(entry->settled));
    json_write_close(out, '}');
}

static enum notice_kind read_kind(struct text name)
{
    for (int k = NOTICE_OPENED; k <= NOTICE_DIGEST; k++)
        if (text_equal(text_of(incidents_notice_name((enum notice_kind)k)), name))
            return (enum notice_kind)k;
    return NOTICE_OPENED;
}

struct outbox_entry *outbox_entry_read(const struct doc_tree *tree, struct text document)
{
    struct text id = doc_tree_text(tree, "id"), incident = doc_tree_text(tree, "incident");
    struct outbox_entry *entry = outbox_entry_new(document);
    if (!entry)
        return NULL;
    memcpy(entry->id, id.at, id.len < IDENT_LEN ? id.len : IDENT_LEN);
    if (incident.len == IDENT_LEN)
        memcpy(entry->incident, incident.at, IDENT_LEN);
    entry->kind = read_kind(doc_tree_text(tree, "kind"));
    entry->priority = (int)doc_tree_whole(tree, "priority", 5);
    entry->attempts = (uint32_t)doc_tree_whole(tree, "attempts", 0);
    entry->due_us = doc_tree_whole(tree, "due", 0);
    entry->queued_us = doc_tree_whole(tree, "queued", 0);
    entry->order = (uint64_t)doc_tree_whole(tree, "order", 0);
    (void)incident_set_text(&entry->settled, doc_tree_text(tree, "settled"));
    struct text state = doc_tree_text(tree, "state");
    entry->may_be_duplicate =
        text_equal(state, TEXT("sending")) || text_equal(state, TEXT("unknown"));
    return entry;
}
