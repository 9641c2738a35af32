/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/correlation.h"
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>

/*
 * entities.yml: what is known of hosts, addresses, users and services. Immutable once read.
 *
 *   entities:
 *     - {kind: host, name: db1, criticality: 1.5, owner: dba, tags: [payments]}
 *     - {kind: address, cidr: 10.0.0.0/8, exclude: true}
 *     - {kind: user, pattern: 'svc-*', criticality: 0.8}
 *
 * The first entry that fits decides. `kind` may be left out: any.
 */
struct inventory;

struct inventory_entry {
    double criticality; /* 0.5..2 */
    bool is_excluded;   /* never charged: NAT, scanners, proxies */
    struct text owner;  /* or empty */
    const struct text *tags;
    uint32_t tag_count;
};

/* `path` NULL: an empty inventory. */
NODISCARD enum status inventory_new(const char *path, struct inventory **out, struct error *err);
void inventory_free(struct inventory *r);
AUTO_DEFINE(inventory);
/* Never NULL: criticality 1 where nothing fits. */
const struct inventory_entry *inventory_find(const struct inventory *r, enum entity_kind kind,
                                             struct text value);
/* Values that name nobody: empty, "-", "unknown", loopback, 0.0.0.0, SYSTEM, machine accounts. */
bool inventory_is_nobody(enum entity_kind kind, struct text value);
