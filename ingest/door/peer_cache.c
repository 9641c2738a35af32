/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/peer_cache.h"
#include "base/hash.h"
#include <netinet/in.h>

const struct peer_entry *peer_cache_find(struct peer_cache *c, const struct allow_list *allow,
                                         const struct endpoint *peer)
{
    unsigned char address[16] = {0};
    if (peer->at.ss_family == AF_INET)
        memcpy(address, (const char *)&peer->at + offsetof(struct sockaddr_in, sin_addr), 4);
    else if (peer->at.ss_family == AF_INET6)
        memcpy(address, (const char *)&peer->at + offsetof(struct sockaddr_in6, sin6_addr), 16);
    uint64_t hash = hash_seeded(address, sizeof address, peer->at.ss_family);
    struct peer_entry *e = &c->slots[hash % PEER_CACHE_SLOTS];
    if (e->family == peer->at.ss_family && memcmp(e->address, address, sizeof address) == 0)
        return e;
    memcpy(e->address, address, sizeof address);
    e->family = peer->at.ss_family;
    e->is_allowed = allow_list_has(allow, peer);
    e->len = (uint8_t)endpoint_peer(peer, e->text).len;
    return e;
}
