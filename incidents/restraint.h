/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/redis.h"
#include "incidents/state.h"

/*
 * What keeps a detection from charging: its rule's suppress time, an exception after a false
 * positive, a rule that charges too many entities at once. Part of the record's state.
 */

struct suppression {
    struct hash_link link;
    struct hash128 key; /* of rule and group */
    int64_t until_us;
};

struct exception {
    struct hash_link link;
    struct text key; /* "kind:value|family", in bytes[] */
    int64_t until_us;
    char bytes[];
};

struct seen {
    uint64_t entity; /* candidate_hash */
    int64_t at_us;
    bool is_dirty;
};

/* The latest distinct entities that a rule charged, at most one more than it may. */
struct noise {
    struct hash_link link;
    struct noise *next_dirty;
    bool is_dirty, is_loud;
    struct text rule; /* string pool */
    struct seen *seen;
    uint32_t count, max;
};

/* A rule that may charge more than this many has no breaker: it could not be kept exactly. */
enum { NOISE_ENTITIES = 10000 };

/* True when the rule fired for this group less than its suppress time ago; else notes this one. */
bool restraint_suppresses(struct incidents *i, const struct detection *d, int64_t t_us);
bool restraint_excepts(const struct incidents *i, enum entity_kind kind, struct text value,
                       struct text family, int64_t t_us);
/* True when the rule is too loud to charge; *out_is_first when it became so just now. */
bool restraint_is_noise(struct incidents *i, const struct rule *rule, uint64_t entity, int64_t t_us,
                        bool *out_is_first);
/* From now on (entity, family) is not charged until then. */
void restraint_add_exception(struct incidents *i, enum entity_kind kind, struct text value,
                             struct text family, int64_t until_us, struct text by,
                             const char *incident);
void restraint_write_noise(struct incidents *i, struct noise *n);
/* Forgets what ended. */
void restraint_tick(struct incidents *i);
/* From Redis: key and value of tocsin:suppress, :exceptions, :noise. False without memory. */
bool restraint_load_suppression(struct incidents *i, struct text key, struct text value);
bool restraint_load_exception(struct incidents *i, struct text key, int64_t until_us);
bool restraint_load_noise(struct incidents *i, struct text rule, const struct doc_tree *t,
                          const struct reply *seen);
void restraint_clear(struct incidents *i);
