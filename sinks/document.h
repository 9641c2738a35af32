/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * An incident's JSON as a tree to pick from.
 */
struct document;
/* SYNTAX: not one JSON object. */
NODISCARD enum status document_new(struct text json, struct document **out, struct error *err);
void document_free(struct document *d);
AUTO_DEFINE(document);

/* A value by its dotted path ("times.opened", "entities.0.value"), as text: strings as they are,
 * numbers and booleans written out, objects and arrays as JSON. Empty where there is none. Lives
 * in `arena`. */
struct text document_text(const struct document *d, struct text path, struct arena *arena);
/* The same as JSON, with its quotes; "null" where there is none. */
struct text document_json(const struct document *d, struct text path, struct arena *arena);
/* Members of an array; 0 where the path leads to none. */
uint32_t document_count(const struct document *d, const char *path);
