/* SPDX-License-Identifier: Apache-2.0 */
#include "console/command_body.h"
#include "base/json_weight.h"
#include <jansson.h>

enum { MOST_BYTES = 1 << 20, TREE_BYTES = 32 << 20, DEPTH_MOST = 56 };

static enum status read_body(struct text body, json_t **out, struct error *err)
{
    json_error_t why;
    const struct json_weight weight = json_weight_of(body);
    if (weight.depth > DEPTH_MOST || weight.bytes > TREE_BYTES)
        return error_set(err, STATUS_LIMIT, 0, "the body has too many values, or too deep ones");
    *out = body.len ? json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, &why) : json_object();
    if (!*out && (!body.len || json_error_code(&why) == json_error_out_of_memory))
        return error_set(err, STATUS_NOMEM, 0, "no memory for the body");
    if (!*out)
        return error_set(err, STATUS_SYNTAX, 0, "the body is not JSON: %.100s (line %d)", why.text,
                         why.line);
    if (!json_is_object(*out))
        return error_set(err, STATUS_SYNTAX, 0, "the body must be a JSON object");
    if (json_object_get(*out, "do") || json_object_get(*out, "incident"))
        return error_set(err, STATUS_INVALID, 0,
                         "\"do\" and \"incident\" are said by the path, not by the body");
    if (json_object_get(*out, "idempotency_key"))
        return error_set(err, STATUS_INVALID, 0,
                         "\"idempotency_key\" is said by the header Idempotency-Key");
    return STATUS_OK;
}

static enum status write_whole(const json_t *whole, struct buffer *out, struct error *err)
{
    size_t len = json_dumpb(whole, NULL, 0, JSON_COMPACT);
    char *at = len && len <= MOST_BYTES ? buffer_reserve(out, len) : NULL;
    if (!at || json_dumpb(whole, at, len, JSON_COMPACT) != len)
        return error_set(err, STATUS_LIMIT, 0, "the command is too long");
    out->len += len;
    return STATUS_OK;
}

enum status command_body_write(struct text verb, struct text incident, struct text body,
                               struct text key, struct buffer *out, struct error *err)
{
    json_t *whole = NULL;
    enum status status = read_body(body, &whole, err);
    bool is_set =
        !status && json_object_set_new(whole, "do", json_stringn(verb.at, verb.len)) == 0 &&
        (!incident.len ||
         json_object_set_new(whole, "incident", json_stringn(incident.at, incident.len)) == 0) &&
        (!key.len ||
         json_object_set_new(whole, "idempotency_key", json_stringn(key.at, key.len)) == 0);
    if (!status && !is_set)
        status = error_set(err, STATUS_SYNTAX, 0, "the path or Idempotency-Key is not UTF-8");
    if (!status)
        status = write_whole(whole, out, err);
    json_decref(whole);
    return status;
}
