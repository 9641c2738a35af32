/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A file that is one JSON object around a list of events, as CloudTrail and Azure leave them:
 * {"Records":[{...},{...}]}, or such a list alone; and one of objects that are broken into lines.
 * Each item is a record, however the document is broken into lines. Any split of the bytes into
 * reads gives the same items.
 */
struct json_list {
    uint32_t depth; /* of brackets inside the item */
    bool in_string, is_escaped;
};

enum json_list_head {
    JSON_LIST_NONE, /* not such a document */
    JSON_LIST_MORE, /* it may be one: more bytes will tell */
    JSON_LIST_HEAD, /* *out_len bytes, up to and with the list's bracket */
    JSON_LIST_ROW,  /* objects one behind the other, the first one's brace alone on its line */
};
enum json_list_head json_list_look(struct text t, size_t *out_len);
/* Scans on from *at; true where t.at[*at] is the comma or bracket behind the item. */
bool json_list_scan(struct json_list *l, struct text t, size_t *at);
/* The same for an object of a row: true where *at is behind its brace. */
bool json_list_scan_object(struct json_list *l, struct text t, size_t *at);
/* How many bytes between items stand at the front. */
size_t json_list_space(struct text t);
