/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/json_index.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What the documents of a stream look like: the names met so far, as a tree, each with the two
 * names that followed it last. Machines write the same names in the same order again and again: the
 * next document's names are recognised by comparing bytes, without building a path or a hash, and
 * the members that nobody reads are passed over.
 *
 * One thread. At most JSON_SHAPE_NAMES names and 1 MiB; a name beyond that costs more and loses
 * nothing.
 */
enum { JSON_SHAPE_NAMES = 4096, JSON_SHAPE_KEY = 255 };

/* Whether somebody reads the field at this dotted path. The answer is remembered. */
typedef bool (*json_wanted_fn)(const void *context, struct text path, uint64_t hash);

/* The names that came at one place, the last one first; 0: none. */
struct json_guess {
    uint32_t last, other;
};

struct json_name {
    const char *key; /* between the quotes, no escapes; 16 readable bytes behind it */
    uint32_t key_len;
    uint32_t parent;           /* 0: the document */
    struct json_guess follows; /* behind it */
    struct json_guess inside;  /* first in its object */
    uint64_t hash;             /* event_name_hash(path) */
    struct text path;          /* lives until the shape forgets */
    bool is_wanted;
};

struct json_shape;
/* `wanted` NULL: every field is. NULL without memory. */
struct json_shape *json_shape_new(json_wanted_fn wanted, const void *context);
void json_shape_free(struct json_shape *s);
AUTO_DEFINE(json_shape);

/* All names, and with them the paths that fields of earlier events show: where other fields are
 * wanted now, or some name found no room (is_full). */
void json_shape_forget(struct json_shape *s);
bool json_shape_is_full(const struct json_shape *s);
bool json_shape_wants(const struct json_shape *s, struct text path, uint64_t hash);

/* The name's number, learned where it is new; 0 where it cannot be (no room, key too long). Names
 * are 1 .. JSON_SHAPE_NAMES; json_shape_names()[0] is the document. */
uint32_t json_shape_find(struct json_shape *s, uint32_t parent, struct text key);
struct json_name *json_shape_names(struct json_shape *s);
/* Scratch of the reader. */
struct json_index *json_shape_index(struct json_shape *s);
