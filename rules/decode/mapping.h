/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/correlation.h"
#include "base/error.h"
#include "base/event.h"
#include "base/hash.h"
#include "base/own.h"
#include "base/yaml.h"
#include "rules/decode/decoder.h"
#include "rules/rules.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Mappings give events that have fields already (JSON, CEF, ...) their Sigma log sources, say under
 * which names the event holds the fields that rules ask for, and which fields are entities.
 *
 * Built like decoders: a builder takes documents, the finished set is immutable and shared. There
 * is no scratch: applying needs none.
 */

struct mapping_set;
struct mapping_builder;
NODISCARD enum status mapping_builder_new(struct mapping_builder **out, struct error *err);
void mapping_builder_free(struct mapping_builder *b);
AUTO_DEFINE(mapping_builder);
/* As decoder_builder_add, for documents with a `mapping:` key. Earlier mappings are asked first. */
NODISCARD enum status mapping_builder_add(struct mapping_builder *b, struct text file,
                                          const struct yaml_node *document, bool is_shipped,
                                          diagnostic_fn tell, void *context);
NODISCARD enum status mapping_builder_finish(struct mapping_builder *b, struct mapping_set **out,
                                             struct error *err);

void mapping_set_free(struct mapping_set *s);
AUTO_DEFINE(mapping_set);
uint32_t mapping_count(const struct mapping_set *s);

/*
 * Everywhere below `index` is what event->mapping holds: 1 + the mapping's place in the set, 0 for
 * events that no mapping applied to (text that a decoder read, unknown JSON): there every name
 * stands for itself.
 */
struct text mapping_name(const struct mapping_set *s, uint32_t index);
struct hash128 mapping_content(const struct mapping_set *s, uint32_t index);
struct hash128 mapping_set_content(const struct mapping_set *s);

enum { MAPPING_NAMES = 24 }; /* most event names that one Sigma name can stand for */
/*
 * The event's names for a field as rules write it, in order of preference: the first that the event
 * has is meant. Never 0. New names are built in `arena`. For compile time, not per event.
 */
uint32_t mapping_resolve(const struct mapping_set *s, uint32_t index, struct text sigma_name,
                         struct arena *arena, struct text out_names[MAPPING_NAMES]);
/* Tells the names that it has for an event's fields, and the event's own that it knows. */
void mapping_tell_names(const struct mapping_set *s, uint32_t index,
                        void (*tell)(void *context, struct text name), void *context);
/* Declared entities, names as rules write them; the set owns them. */
const struct entity_field *mapping_entities(const struct mapping_set *s, uint32_t index,
                                            uint32_t *out_count);
/* The log sources a mapping can say, for lints and for building indexes; the set owns them. */
const struct logsource *mapping_logsources(const struct mapping_set *s, uint32_t index,
                                           uint32_t *out_count);

/*
 * Finds the decoders that mappings name under `decode`. What is missing is told as an error, and
 * its field is not read; the content of each mapping covers those of its decoders from then on.
 */
void mapping_inner_link(struct mapping_set *s, const struct decoder_set *decoders,
                        diagnostic_fn tell, void *context);
enum { MAPPING_INNER = 32 }; /* most values of one field that are read further */
/* Adds what the decoders of the event's mapping find in its fields, and lists as one text. After
 * decoder_apply. How many values were above MAPPING_INNER, or too long together: not read. */
uint64_t mapping_inner_decode(const struct mapping_set *s, struct decoder_scratch *c,
                              struct event *event, struct arena *arena);

/* What kind of entity a field of this name usually is ("src_ip", "User", "Computer", ...), where
 * neither mapping nor decoder declares it. False: no entity. */
bool mapping_usual_kind(struct text field, enum entity_kind *out);

/* Whether some mapping asks an event for this name to know it or its log source. */
bool mapping_reads(const struct mapping_set *s, uint64_t hash);

/* Sets the event's time by what the mapping that applied says of it. False where a field that it
 * names is there and cannot be read: the event is flagged. */
bool mapping_set_time(const struct mapping_set *s, struct event *event, struct arena *arena);

/* Adds the fields that the event has under another name again, under the names that rules know
 * them by. An event's own field of that name stays the only one. */
void mapping_view_add_names(const struct mapping_set *s, struct event *event);

/* Sets event->mapping to the first mapping whose `when` holds (none for an event without fields),
 * and appends every log source of it that applies, first written first. No log source: a mapping
 * knows the event, but no rule's source fits. Any thread; no allocation. */
void mapping_apply(const struct mapping_set *s, struct event *event);
