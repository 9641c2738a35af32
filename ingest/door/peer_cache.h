/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/allow_list.h"
#include "ingest/door/endpoint.h"

/* Senders' addresses as text, and whether they are let in: printed once for each sender and not
 * once for each message. One thread. */
enum { PEER_CACHE_SLOTS = 512 };

struct peer_entry {
    unsigned char address[16];
    uint16_t family; /* 0: free */
    bool is_allowed;
    uint8_t len;
    char text[ENDPOINT_PEER_LEN];
};
struct peer_cache {
    struct peer_entry slots[PEER_CACHE_SLOTS]; /* direct-mapped */
};

/* The entry of that sender; good until the next call. */
const struct peer_entry *peer_cache_find(struct peer_cache *c, const struct allow_list *allow,
                                         const struct endpoint *peer);
