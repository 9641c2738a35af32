/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include <stdio.h>
#include <string.h>

enum status error_set(struct error *err, enum status code, uint32_t line, const char *format, ...)
{
    if (!err)
        return code;
    err->code = code;
    err->line = line;
    err->column = 0;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

enum status error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return STATUS_INVALID;
    char whole[sizeof err->text];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(whole, sizeof whole, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof whole)
        (void)snprintf(whole + n, sizeof whole - (size_t)n, ": %.*s",
                       (int)(sizeof whole - (size_t)n), err->text);
    memcpy(err->text, whole, sizeof whole);
    return err->code;
}

const char *error_name(enum status code)
{
    switch (code) {
    case STATUS_OK:
        return "ok";
    case STATUS_NOMEM:
        return "nomem";
    case STATUS_LIMIT:
        return "limit";
    case STATUS_SYNTAX:
        return "syntax";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_UNSUPPORTED:
        return "unsupported";
    case STATUS_NOTFOUND:
        return "notfound";
    case STATUS_EXISTS:
        return "exists";
    case STATUS_IO:
        return "io";
    case STATUS_FULL:
        return "full";
    case STATUS_CLOSED:
        return "closed";
    case STATUS_TIMEOUT:
        return "timeout";
    case STATUS_CONFLICT:
        return "conflict";
    case STATUS_DENIED:
        return "denied";
    case STATUS_AGAIN:
        return "again";
    }
    return "unknown";
}
