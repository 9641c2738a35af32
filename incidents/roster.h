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
struct roster;

struct roster_entry {
    double criticality; /* 0.5..2 */
    bool is_excluded;   /* never charged: NAT, scanners, proxies */
    struct text owner;  /* or empty */
    const struct text *tags;
    uint32_t tag_count;
};

/* `path` NULL: an empty roster. */
NODISCARD enum status roster_new(const char *path, struct roster **out, struct error *err);
void roster_free(struct roster *r);
AUTO_DEFINE(roster);
/* Never NULL: criticality 1 where nothing fits. */
const struct roster_entry *roster_find(const struct roster *r, enum entity_kind kind,
                                       struct text value);
/* Values that name nobody: empty, "-", "unknown", loopback, 0.0.0.0, SYSTEM, machine accounts. */
bool roster_is_nobody(enum entity_kind kind, struct text value);
