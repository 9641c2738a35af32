/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/correlation.h"
#include "base/error.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/own.h"
#include "base/yaml.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Decoders turn the text of a message into fields: PCRE2 patterns with named groups, tried in the
 * order written, the first that matches wins.
 *
 * A builder takes YAML documents, decoder_builder_finish freezes them into a set that all workers
 * share, each worker brings a scratch of its own.
 */

/* One field that stands for an entity, as a decoder or mapping declares it. */
struct entity_field {
    struct text field;  /* name as rules write it */
    struct text domain; /* user: the field that holds its domain, or empty */
    enum entity_kind kind;
    bool is_charged;
};

/* ---- building: one thread, cold ---- */

struct decoder_set;
struct decoder_builder;
NODISCARD enum status decoder_builder_new(struct decoder_builder **out, struct error *err);
void decoder_builder_free(struct decoder_builder *b);
AUTO_DEFINE(decoder_builder);

/*
 * Reads one document with a `decoder:` key; everything is copied. What is wrong is told to `tell`
 * (may be NULL) as errors, then nothing was added and the code is returned: SYNTAX, INVALID, EXISTS
 * (the name is taken), NOMEM. A decoder that ships and whose name is taken by one that does not is
 * left out without a word: that is how people replace it. Earlier decoders are asked first.
 */
NODISCARD enum status decoder_builder_add(struct decoder_builder *b, struct text file,
                                          const struct yaml_node *document, bool is_shipped,
                                          diagnostic_fn tell, void *context);
/* Freezes what was added. Gives the set; the builder is empty then and can only be freed. */
NODISCARD enum status decoder_builder_finish(struct decoder_builder *b, struct decoder_set **out,
                                             struct error *err);

/* ---- the set: immutable, any thread ---- */

struct decoder;
void decoder_set_free(struct decoder_set *s);
AUTO_DEFINE(decoder_set);
uint32_t decoder_count(const struct decoder_set *s);
const struct decoder *decoder_at(const struct decoder_set *s, uint32_t index);
/* Its place in its set. */
uint32_t decoder_place(const struct decoder *d);
struct text decoder_name(const struct decoder *d);
/* Of its own document, without its samples. */
struct hash128 decoder_content(const struct decoder *d);
/* Of the whole set: equal hashes decode equally. */
struct hash128 decoder_set_content(const struct decoder_set *s);
/* Whether decoders look into a JSON event's field of this name for a program, its message or time.
 */
bool decoder_set_reads(const struct decoder_set *s, uint64_t hash);
/* The log sources that it sets; the set owns them. */
const struct logsource *decoder_logsources(const struct decoder *d, uint32_t *out_count);
/* Whether it reads events that have such a log source already (where the rule's says it). */
bool decoder_reads(const struct decoder *d, const struct logsource *source);
/* Tells the names of the fields that it can give, some of them twice. False: others may come too,
 * for it reads pairs whose keys the message brings. */
bool decoder_tell_names(const struct decoder *d, void (*tell)(void *context, struct text name),
                        void *context);
/* Declared entities; the set owns them. None declared: 0, mapping_usual_kind knows names. */
const struct entity_field *decoder_entities(const struct decoder *d, uint32_t *out_count);
/* The decoder of that name, which says of itself that it is a part (mappings name those); or NULL.
 */
const struct decoder *decoder_part(const struct decoder_set *s, struct text name);
/* Runs every decoder's samples and tells what differs as errors. Number of failures. */
uint32_t decoder_check_samples(const struct decoder_set *s, diagnostic_fn tell, void *context);

/* ---- decoding: one worker's own thread, no malloc ---- */

struct decoder_counters {
    uint64_t decoded;          /* events that a pattern matched */
    uint64_t undecoded;        /* a decoder was responsible, no pattern matched */
    uint64_t regex_limits;     /* PCRE2 met its match, depth or heap limit */
    uint64_t times_unreadable; /* a field that `time` names is there, its form fits none */
};
struct decoder_scratch;
NODISCARD enum status decoder_scratch_new(struct decoder_scratch **out, struct error *err);
void decoder_scratch_free(struct decoder_scratch *c);
AUTO_DEFINE(decoder_scratch);
const struct decoder_counters *decoder_get_counters(const struct decoder_scratch *c);

/*
 * To be called after mapping_apply. Finds the decoders that are responsible for the event: by
 * program (no case, without path), by log source (said before), by `when`; adds the fields of the
 * first pattern that matches and puts the log sources of that decoder before those that are there.
 * Where none matched, or only one by its look, those of the last one that is responsible by program
 * or log source follow (keyword rules look at all its events). Sets EVENT_UNDECODED where a
 * decoder is responsible by program or log source and no pattern of any
 * matched. A JSON event of no mapping that carries a log line (journald's export, Fluentd, ...)
 * gets that line's program and message first. Values are views into event->message (rarely into
 * `arena`). That decoder, or NULL.
 */
const struct decoder *decoder_apply(const struct decoder_set *s, struct decoder_scratch *c,
                                    struct event *event, struct arena *arena);

/* Adds the fields of the first of a part's patterns that matches `text`. */
void decoder_read_part(const struct decoder *d, struct decoder_scratch *c, struct text text,
                       struct event *event, struct arena *arena);
