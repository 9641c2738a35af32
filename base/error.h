/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/own.h"
#include <stdarg.h>
#include <stdint.h>

/* What can go wrong, for the whole program. Zero is success, the rest is negative. */
enum status {
    STATUS_OK = 0,
    STATUS_NOMEM = -1,       /* no memory */
    STATUS_LIMIT = -2,       /* a ceiling was met */
    STATUS_SYNTAX = -3,      /* bytes that are not what their format says */
    STATUS_INVALID = -4,     /* well formed, but makes no sense here */
    STATUS_UNSUPPORTED = -5, /* understood, and refused by name */
    STATUS_NOTFOUND = -6,
    STATUS_EXISTS = -7,
    STATUS_IO = -8,      /* the system refused: errno is in the text */
    STATUS_FULL = -9,    /* a queue has no room now */
    STATUS_CLOSED = -10, /* the other side is gone for good */
    STATUS_TIMEOUT = -11,
    STATUS_CONFLICT = -12, /* someone else changed it first */
    STATUS_DENIED = -13,   /* not allowed */
    STATUS_AGAIN = -14,    /* nothing to do now, come back */
};

/* Why a cold-path call failed. Embedded by the caller; no ownership inside. */
struct error {
    enum status code;
    uint32_t line;   /* 1-based, 0 where there is none */
    uint32_t column; /* 1-based, 0 where there is none */
    char text[240];  /* one sentence: what is wrong, what was expected */
};

/* Fills `err` (may be NULL) and returns `code`, so that a failure is one statement. */
__attribute__((format(printf, 4, 5))) enum status error_set(struct error *err, enum status code,
                                                            uint32_t line, const char *format, ...);

/* Puts "<prefix>: " before the text that `err` (may be NULL) holds; returns its code. */
__attribute__((format(printf, 2, 3))) enum status error_prefix(struct error *err,
                                                               const char *format, ...);

/* The code's name in lower case, for example "limit"; a static string. */
const char *error_name(enum status code);
