/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Text with values in it: {{path}} or {{path|filter|filter=argument}}. What is put in is always
 * escaped for the medium that the text is of, so that no value can leave its place.
 *
 *      {"text": "{{subject}}", "score": {{incident.score|json}}}
 *
 * filters: json (the value as JSON, with its quotes; alone), as_is (unescaped; alone, and only for
 * option.*, which the configuration says), slack, wiki, markdown (their own markup made plain),
 * defang, line (one line), cut=200 (bytes), map=NAME (a table of the preset), or=TEXT (where the
 * value is empty), lower, base64, int (a whole number, else 0).
 */
enum template_medium {
    TEMPLATE_JSON,   /* inside the quotes of a JSON string */
    TEMPLATE_URL,    /* percent escapes */
    TEMPLATE_HEADER, /* one line of printable text */
    TEMPLATE_PLAIN,  /* as it is */
};

struct template_scope {
    void *context;
    /* The value at a path, or an empty text. With `as_json` its JSON, "null" where there is none.
     */
    struct text (*find)(void *context, struct text path, bool as_json, struct arena *arena);
    /* A table's entry, or the key itself. */
    struct text (*map)(void *context, struct text table, struct text key);
};

struct template;
/* Lives in `arena`. SYNTAX says where: an open {{, an unknown filter. */
NODISCARD enum status template_new(struct text source, enum template_medium medium,
                                   struct arena *arena, const struct template **out,
                                   struct error *err);
/* Appends the text to `out`. `arena` holds what lies between. */
void template_write(const struct template *t, const struct template_scope *scope,
                    struct arena *arena, struct buffer *out);
/* The first path that `knows` says no to, or an empty text. */
struct text template_unknown(const struct template *t,
                             bool (*knows)(const void *context, struct text path),
                             const void *context);
